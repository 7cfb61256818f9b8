// What a plan is made of beside the manifest: everything that had to be looked up, read or generated before.
import type { Bundle } from '../engine/parts.ts'
import type { BackingServiceWish } from '../manifest/manifest.ts'
import type { ManagedServer } from '../services/backing-service.ts'
import type { ServiceNeed } from './step.ts'

export interface Materials {
  readonly image: ImageFound
  /** Of sidecars that have one of their own. */
  readonly sidecarImages: Readonly<Record<string, ImageFound>>
  /** The manifest's files, and where they are to be. */
  readonly files?: Bundle
  /** By the names of variables. */
  readonly secrets?: Bundle
  /** By the names of the secrets that logins need. */
  readonly logins?: Readonly<Record<string, Bundle>>
  readonly services: readonly ServiceMaterial[]
}

/** `pullMark`: see `Process`. */
export interface ImageFound {
  readonly reference: string
  readonly pullMark?: string
}

export interface ServiceMaterial {
  readonly wish: BackingServiceWish
  readonly need: ServiceNeed
  readonly credentials: Bundle
  readonly administrator: Bundle
  /** Of a managed one. */
  readonly server?: ManagedServer
  /** Names of the variables that the service finds in its credentials. */
  readonly variables: readonly string[]
}

/** The configuration that a release of these needs. */
export function bundlesOf({ files, secrets, logins = {}, services }: Materials): Bundle[] {
  const own = [files, secrets, ...Object.values(logins)].filter(bundle => bundle !== undefined)
  return [...own, ...services.flatMap(({ credentials, administrator }) => [credentials, administrator])]
}
