// What every operation works with, made once by `createApiServer`, and the shape of the admission
// plug-ins in it.
import type { KubeObject } from '../api/object.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'
import type { ServiceAllocator } from './allocation/service-allocator.ts'
import type { Authorizer } from './auth/authorizer.ts'
import type { BearerTokens } from './auth/bearer-tokens.ts'
import type { TokenIssuer } from './auth/service-account-tokens.ts'
import type { KindRegistry } from './kind-registry.ts'
import type { Caller, Target } from './request.ts'
import type { ObjectStorage } from './storage/object-storage.ts'
import type { WebhookCaller } from './webhooks/webhook-caller.ts'

export interface ServerContext {
  readonly storage: ObjectStorage
  readonly kinds: KindRegistry
  readonly admission: readonly AdmissionPlugin[]
  readonly services: ServiceAllocator
  readonly tokens: TokenIssuer
  readonly bearers: BearerTokens
  readonly authorizer: Authorizer
  readonly webhooks: WebhookCaller
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface AdmissionRequest {
  readonly operation: AdmissionOperation
  readonly target: Target
  readonly caller: Caller
  /** The draft; undefined for DELETE. For CONNECT the options, such as PodExecOptions. */
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
  /** The model of an object that is of another kind than the target: what is posted to a subresource, or stands for it. */
  readonly model?: string
  /** What DELETE was asked for with. */
  readonly deletion?: object
}

/** One request may pass the mutating plug-ins a second time, when somebody from outside changed its object. */
export interface MutationRounds {
  readonly second: boolean
  wantsSecond: boolean
}

export interface AdmissionPlugin {
  readonly name: string
  mutate?(request: AdmissionRequest, context: ServerContext, rounds: MutationRounds): void | Promise<void>
  validate?(request: AdmissionRequest, context: ServerContext): void | Promise<void>
}
