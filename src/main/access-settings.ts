// Whose tokens the API server believes beside its own: what `sampan up` was told, checked, with the files
// read. Said at every start anew; nothing of it is remembered.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { OidcSettings } from '../server/auth/oidc.ts'
import { readStaticTokens, type StaticTokens } from '../server/auth/static-tokens.ts'
import { SetupError } from './data-directory.ts'

/** Files as absolute paths. */
export interface AccessOptions {
  readonly tokenAuthFile?: string
  readonly oidcIssuerUrl?: string
  readonly oidcClientId?: string
  readonly oidcUsernameClaim?: string
  readonly oidcUsernamePrefix?: string
  readonly oidcGroupsClaim?: string
  readonly oidcGroupsPrefix?: string
  /** `claim=value` each. */
  readonly oidcRequiredClaim?: readonly string[]
  readonly oidcCaFile?: string
  /** Separated by commas. */
  readonly oidcSigningAlgs?: string
}

const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']

/** @throws SetupError */
export function accessSettings(access: AccessOptions): { staticTokens?: StaticTokens; oidc?: OidcSettings } {
  const oidc = oidcSettings(access)
  return {
    ...(access.tokenAuthFile !== undefined && { staticTokens: staticTokens(access.tokenAuthFile) }),
    ...(oidc && { oidc }),
  }
}

function readSetting(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new SetupError(`${option}: ${file} cannot be read: ${(error as Error).message}`)
  }
}

function staticTokens(file: string): StaticTokens {
  const text = readSetting(file, '--token-auth-file')
  try {
    return readStaticTokens(text)
  } catch (error) {
    throw new SetupError(`--token-auth-file: ${file}: ${(error as Error).message}`)
  }
}

function oidcSettings(access: AccessOptions): OidcSettings | undefined {
  const { oidcIssuerUrl: issuerUrl, oidcClientId: clientId } = access
  if (issuerUrl === undefined && clientId === undefined) {
    const stray = Object.keys(access).find(name => name.startsWith('oidc'))
    if (stray !== undefined)
      throw new SetupError('options that begin with --oidc need --oidc-issuer-url and --oidc-client-id')
    return undefined
  }
  if (issuerUrl === undefined || clientId === undefined)
    throw new SetupError('--oidc-issuer-url and --oidc-client-id must be given together')
  if (!URL.canParse(issuerUrl) || new URL(issuerUrl).protocol !== 'https:')
    throw new SetupError(`--oidc-issuer-url: expected an address that begins with https://, found ${issuerUrl}`)
  const wanted = access.oidcSigningAlgs?.split(',').map(name => name.trim())
  const unknown = wanted?.find(name => !algorithms.includes(name))
  if (unknown !== undefined)
    throw new SetupError(`--oidc-signing-algs: expected some of ${algorithms.join(', ')}, found ${unknown}`)
  return {
    issuerUrl,
    clientId,
    ...(access.oidcUsernameClaim !== undefined && { usernameClaim: access.oidcUsernameClaim }),
    ...(access.oidcUsernamePrefix !== undefined && { usernamePrefix: access.oidcUsernamePrefix }),
    ...(access.oidcGroupsClaim !== undefined && { groupsClaim: access.oidcGroupsClaim }),
    ...(access.oidcGroupsPrefix !== undefined && { groupsPrefix: access.oidcGroupsPrefix }),
    ...(access.oidcRequiredClaim !== undefined && { requiredClaims: requiredClaims(access.oidcRequiredClaim) }),
    ...(access.oidcCaFile !== undefined && { authority: authority(access.oidcCaFile) }),
    ...(wanted !== undefined && { signingAlgorithms: wanted }),
  }
}

function requiredClaims(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts
      .flatMap(text => text.split(','))
      .map(text => {
        const equals = text.indexOf('=')
        if (equals < 1) throw new SetupError(`--oidc-required-claim: expected claim=value, found ${text}`)
        return [text.slice(0, equals), text.slice(equals + 1)]
      }),
  )
}

function authority(file: string): string {
  const pem = readSetting(file, '--oidc-ca-file')
  try {
    void new X509Certificate(pem)
  } catch {
    throw new SetupError(`--oidc-ca-file: ${file} holds no certificate in PEM`)
  }
  return pem
}
