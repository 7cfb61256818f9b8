// A pod of Sampan's own image: a cluster named `inner`.
import { sampanVersion } from '../lib/version.ts'

/** @param volume what is mounted at `mountPath`, as a volume of a pod without its name */
export const ownImagePod = (mountPath: string, volume: object, args: readonly string[] = []): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'sampan' },
  spec: {
    containers: [
      {
        name: 'main',
        image: `sampan.local/sampan:${sampanVersion}`,
        args: ['--name', 'inner', ...args],
        securityContext: { privileged: true },
        volumeMounts: [{ name: 'volume', mountPath }],
      },
    ],
    volumes: [{ name: 'volume', ...volume }],
  },
})
