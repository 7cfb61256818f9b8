// What others need to check service account tokens by themselves: where the keys are, and the keys.
// Source: pkg/serviceaccount/openidmetadata.go.
import type { TokenIssuer } from '../auth/service-account-tokens.ts'
import type { Exchange } from './exchange.ts'

const configurationPath = '/.well-known/openid-configuration'
const keysPath = '/openid/v1/jwks'
export const issuerPaths: readonly string[] = [configurationPath, keysPath]
const caching = 'public, max-age=3600'

/** @returns whether the path was one of these */
export function serveIssuer({ path, response }: Exchange, tokens: TokenIssuer): boolean {
  const wanted = path.replace(/\/$/, '')
  if (wanted === configurationPath) {
    const configuration = {
      issuer: tokens.issuer,
      jwks_uri: `${tokens.issuer}${keysPath}`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }
    response
      .writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': caching })
      .end(JSON.stringify(configuration))
    return true
  }
  if (wanted !== keysPath) return false
  response
    .writeHead(200, { 'Content-Type': 'application/jwk-set+json', 'Cache-Control': caching })
    .end(JSON.stringify(tokens.publicKeys()))
  return true
}
