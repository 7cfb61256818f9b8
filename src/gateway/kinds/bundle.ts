// What the definitions of the Gateway API say of themselves: their group, their release, and which words of ours they are.
import { gatewayGroup } from '../../api/gateway-names.ts'

export const bundleVersionAnnotation = `${gatewayGroup}/bundle-version`
export const bundleVersion = 'v1.6.1'
export const channelAnnotation = `${gatewayGroup}/channel`
export const channel = 'standard'
export const bundleAnnotations = { [bundleVersionAnnotation]: bundleVersion, [channelAnnotation]: channel }

/** Which of Sampan's texts it is, so that another text replaces it; a test says when to raise it. */
export const revisionAnnotation = 'sampan.dev/revision'
export const revision = '5'
