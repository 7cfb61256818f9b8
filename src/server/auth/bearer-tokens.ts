// Who a bearer token speaks for, whoever issued it: service accounts, a file of tokens, bootstrap tokens,
// an OpenID Connect provider. Each source says undefined to what is not its own or no longer good.
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/logger.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { verifyBootstrapToken } from './bootstrap-tokens.ts'
import type { OidcSettings } from './oidc.ts'
import type { TokenIssuer } from './service-account-tokens.ts'
import type { StaticTokens } from './static-tokens.ts'
import type { VerifiedToken, VerifyToken } from './verified-token.ts'

export interface BearerTokenOptions {
  readonly issuer: TokenIssuer
  readonly storage: ObjectStorage
  readonly clock: Clock
  readonly logger: Logger
  readonly staticTokens?: StaticTokens
  readonly oidc?: OidcSettings
}

export class BearerTokens {
  private readonly options: BearerTokenOptions
  private oidc: Promise<VerifyToken> | undefined

  constructor(options: BearerTokenOptions) {
    this.options = options
  }

  /** @param audiences the ones asked for in a TokenReview; the API server's own by default */
  async verify(token: string, audiences?: readonly string[]): Promise<VerifiedToken | undefined> {
    const { issuer, storage, clock, staticTokens } = this.options
    const account = await issuer.verify(token, storage, audiences)
    if (account !== undefined) return account
    // The other sources know of no audience but the API server.
    if (audiences !== undefined && !audiences.some(audience => issuer.audiences.includes(audience))) return undefined
    return (
      staticTokens?.verify(token) ??
      verifyBootstrapToken(token, storage, clock.now()) ??
      (await this.verifyElsewhere(token))
    )
  }

  /** The provider's module is loaded with its first token. */
  private async verifyElsewhere(token: string): Promise<VerifiedToken | undefined> {
    const { oidc, clock, logger } = this.options
    if (oidc === undefined) return undefined
    this.oidc ??= import('./oidc.ts').then(({ oidcVerifier }) => oidcVerifier(oidc, clock, logger))
    return (await this.oidc)(token)
  }
}
