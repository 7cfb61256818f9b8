// What every operation works with. Made once by `createApiServer`.
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { AdmissionPlugin } from './admission/admission.ts'
import type { ServiceAllocator } from './allocation/service-allocator.ts'
import type { TokenIssuer } from './auth/service-account-tokens.ts'
import type { KindRegistry } from './kind-registry.ts'
import type { ObjectStorage } from './storage/object-storage.ts'

export interface ServerContext {
  readonly storage: ObjectStorage
  readonly kinds: KindRegistry
  readonly admission: readonly AdmissionPlugin[]
  readonly services: ServiceAllocator
  readonly tokens: TokenIssuer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}
