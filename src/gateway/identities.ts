// What the gateway does beside HAProxy so that people and programs show who they are by the word of a provider: it fetches
// the keys by which providers sign, and answers those who log in. Nothing of it is there before a policy asks for it.
import { join } from 'node:path'
import type { AccessPolicy } from '../api/gateway-api/policies.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { LoginService } from './login/login-service.ts'
import { sessionKeys, type SessionKeys } from './login/session-keys.ts'
import type { Login, SigningKey } from './model/policing.ts'
import type { FetchedKeys, KeySource } from './providers/key-source.ts'
import { KeySets } from './providers/key-sets.ts'
import { providerAccess, type AskProvider, type ProviderAccessOptions } from './providers/provider-access.ts'

export interface IdentitiesOptions extends ProviderAccessOptions {
  /** Of what is kept. */
  readonly directory: string
  readonly loginSocket: string
  readonly clock: Clock
  readonly logger: Logger
  /** Something else is known by now. */
  readonly changed: () => void
}

export class Identities {
  private readonly options: IdentitiesOptions
  private readonly ask: AskProvider
  private readonly keySets: KeySets
  private keys: SessionKeys | undefined
  private logins: LoginService | undefined

  constructor(options: IdentitiesOptions) {
    const { directory, clock, changed } = options
    this.options = options
    this.ask = providerAccess(options)
    this.keySets = new KeySets({ directory: join(directory, 'key-sets'), ask: this.ask, clock, changed })
  }

  fetchedKeys(source: KeySource): FetchedKeys {
    return this.keySets.of(source)
  }

  /** Made with the first policy by which people log in. */
  sessionKey(policies: readonly AccessPolicy[]): SigningKey | undefined {
    const isAsked = policies.some(({ spec }) => spec.authentication?.oidc !== undefined)
    return isAsked ? this.sessions().verifying : undefined
  }

  /** Keys that nobody asked for since the last time are forgotten. */
  async serve(logins: ReadonlyMap<string, Login>): Promise<void> {
    this.keySets.sweep()
    if (logins.size > 0 && this.logins === undefined) {
      const { LoginService: Service } = await import('./login/login-service.ts')
      const { loginSocket: socket, clock, logger } = this.options
      this.logins = new Service({ socket, keys: this.sessions(), ask: this.ask, clock, logger })
    }
    await this.logins?.update(logins)
  }

  async stop(): Promise<void> {
    this.keySets.stop()
    await this.logins?.close()
  }

  private sessions(): SessionKeys {
    return (this.keys ??= sessionKeys(join(this.options.directory, 'sessions.pem')))
  }
}
