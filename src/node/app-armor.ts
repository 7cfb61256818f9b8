// Which AppArmor profile a container runs under: its own, that of an annotation (as before the fields), or the
// pod's. Source: kubernetes pkg/security/apparmor/helpers.go.
import type { AppArmorProfile, Container, Pod } from '../api/generated/models.ts'

const annotationPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const localhost = 'localhost/'

/** Undefined: what the runtime does by default. */
export function appArmorOf(pod: Pod, container: Container): AppArmorProfile | undefined {
  return (
    container.securityContext?.appArmorProfile ??
    annotated(pod.metadata.annotations?.[annotationPrefix + container.name]) ??
    pod.spec.securityContext?.appArmorProfile
  )
}

function annotated(text: string | undefined): AppArmorProfile | undefined {
  if (text === 'runtime/default') return { type: 'RuntimeDefault' }
  if (text === 'unconfined') return { type: 'Unconfined' }
  return text?.startsWith(localhost) === true
    ? { type: 'Localhost', localhostProfile: text.slice(localhost.length) }
    : undefined
}
