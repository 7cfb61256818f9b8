// An `app.yml` as it was written, after checking, with what an environment changes laid over it: short forms are
// written out, commands are lists. What convention adds is not there yet.
import type { BuildSettings } from '../../images/build/settings.ts'
import type { LoginRules, Resources, TokenRules } from '../engine/parts.ts'
import type { BackingServiceType, BackingServiceWish, CanaryStep, Development } from './manifest.ts'

export interface WrittenProcess {
  readonly command?: readonly string[]
  readonly env?: Readonly<Record<string, WrittenVariable>>
  readonly files?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly resources?: Resources
  readonly security?: WrittenSecurity
}

export interface WrittenSidecar extends WrittenProcess {
  readonly image?: string
  readonly health?: WrittenHealth
}

type WrittenServices = Readonly<Partial<Record<BackingServiceType, false | Omit<BackingServiceWish, 'type'>>>>

export interface Written extends WrittenProcess, WrittenServices {
  readonly name: string
  readonly image?: string
  readonly namespace?: string
  readonly replicas?: number
  readonly ports?: Readonly<Record<string, WrittenPort>>
  readonly health?: WrittenHealth
  readonly sidecars?: Readonly<Record<string, WrittenSidecar>>
  readonly spread?: boolean
  readonly disruptionBudget?: boolean
  readonly strategy?: WrittenStrategy
  readonly stopSeconds?: number
  readonly migrate?: WrittenMigration
  readonly routes?: readonly WrittenRoute[]
  readonly schedules?: Readonly<Record<string, WrittenSchedule>>
  readonly checks?: { readonly before?: WrittenCheck; readonly after?: WrittenCheck }
  readonly notify?: readonly string[]
  readonly build?: Partial<BuildSettings>
  readonly dev?: Partial<Development>
}

export interface WrittenPort {
  readonly port: number
  readonly nodePort?: number
  readonly protocol?: 'TCP' | 'UDP'
}

export interface WrittenHealth {
  readonly http?: string
  readonly grpc?: true
  readonly tcp?: true
  readonly command?: readonly string[]
  readonly port?: string
}

/** A value, or one of secret and configMap with the key. */
export interface WrittenVariable {
  readonly value?: string
  readonly secret?: string
  readonly configMap?: string
  readonly key?: string
}

interface WrittenSecurity {
  readonly root?: boolean
  readonly user?: number
  readonly capabilities?: readonly string[]
  readonly readOnlyRoot?: boolean
}

export interface WrittenCheck {
  readonly run: readonly string[]
  /** A duration of ISO 8601, here and below. */
  readonly timeLimit?: string
}

export interface WrittenStrategy {
  readonly kind: 'rolling' | 'recreate' | 'blue-green' | 'canary'
  readonly steps?: readonly CanaryStep[]
  readonly analysis?: {
    readonly maxRestarts?: number
    readonly run?: WrittenCheck
    readonly queries?: Readonly<Record<string, { readonly query: string; readonly maximum: number }>>
  }
}

export interface WrittenMigration {
  readonly up: readonly string[]
  readonly down?: readonly string[]
  readonly version?: readonly string[]
  readonly irreversible?: boolean
  readonly timeLimit?: string
}

export interface WrittenRoute {
  readonly host: string
  readonly path?: string
  readonly port?: string
  /** `way` is the short form; `jwt` and `oidc` alone are those of sampan.yml. */
  readonly auth?: {
    readonly way?: 'keys' | 'basic' | 'jwt' | 'oidc'
    readonly jwt?: TokenRules
    readonly oidc?: WrittenLogin
  }
  readonly groups?: readonly string[]
  /** Requests in a time: `100/m`. */
  readonly rateLimit?: string
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** How people log in. */
export interface WrittenLogin extends Omit<LoginRules, 'secret'> {
  /** Name of a secret of the environment. */
  readonly clientSecret?: string
  /** In which the provider says the groups that somebody is in. */
  readonly groupsClaim?: string
}

export interface WrittenSchedule {
  readonly every?: string
  readonly cron?: string
  readonly timeZone?: string
  readonly run: readonly string[]
  readonly overlap?: boolean
  readonly retries?: number
  readonly timeLimit?: string
}
