// The public keys of those who sign tokens, out of a Secret or a ConfigMap. Pure. Source: RFC 7517 and RFC 7518.
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { TokenRules } from '../../../api/gateway-api/policies.ts'
import { errorText } from '../../../lib/error-text.ts'
import { fails, type Finding } from '../findings.ts'
import type { SigningKey } from '../policing.ts'
import type { KeySource } from '../../providers/key-source.ts'
import type { PolicyInputs } from './policy-inputs.ts'

export interface FoundKeys {
  readonly keys: readonly SigningKey[]
  readonly findings: readonly Finding[]
}

/** Of a provider that says itself what they are. */
export function providerKeys(source: KeySource, { fetchedKeys }: Pick<PolicyInputs, 'fetchedKeys'>): FoundKeys {
  const { text, problem } = fetchedKeys(source)
  const from = `of ${source.uri ?? source.issuer}`
  const stale =
    problem === undefined
      ? []
      : [
          fails(
            'ResolvedRefs',
            text === undefined ? 'KeysNotFetched' : 'KeysOutdated',
            `${text === undefined ? 'the keys' : 'newer keys'} ${from} could not be fetched: ${problem}`,
          ),
        ]
  if (text === undefined)
    return {
      keys: [],
      findings: stale.length > 0 ? stale : [fails('ResolvedRefs', 'Pending', `the keys ${from} are being fetched`)],
    }
  try {
    const { keys, findings } = keysOfSet(JSON.parse(text), from)
    return { keys, findings: [...findings, ...stale] }
  } catch (error) {
    return without(`the keys ${from} cannot be read: ${errorText(error)}`)
  }
}

export function signingKeys(
  { kind, name }: NonNullable<TokenRules['keysRef']>,
  namespace: string,
  { secret, configuration }: Pick<PolicyInputs, 'secret' | 'configuration'>,
): FoundKeys {
  const data = kind === 'Secret' ? secret(namespace, name) : configuration(namespace, name)
  if (data === undefined) return without(`there is no ${kind} "${name}" in the namespace ${namespace}`)
  const { 'jwks.json': set, 'key.pem': pem } = data
  const what = `of the ${kind} "${name}"`
  try {
    if (set !== undefined) return keysOfSet(JSON.parse(set), what)
    if (pem !== undefined) return { keys: [signingKey(createPublicKey(pem), {})], findings: [] }
  } catch (error) {
    return without(`the keys ${what} cannot be read: ${errorText(error)}`)
  }
  return without(
    `expected jwks.json or key.pem in the ${kind} "${name}", found ${Object.keys(data).join(', ') || 'nothing'}`,
  )
}

const without = (message: string): FoundKeys => ({
  keys: [],
  findings: [fails('ResolvedRefs', 'InvalidKeys', message)],
})

/** Keys that are not for signatures stand beside those that are. */
function keysOfSet(set: { readonly keys?: readonly WebKey[] }, what: string): FoundKeys {
  const keys: SigningKey[] = []
  const problems: string[] = []
  for (const each of Array.isArray(set.keys) ? (set.keys as readonly WebKey[]) : []) {
    if (each.use !== undefined && each.use !== 'sig') continue
    try {
      keys.push(signingKey(createPublicKey({ key: each, format: 'jwk' }), each))
    } catch (error) {
      problems.push(`the key "${each.kid ?? ''}" ${what} cannot be used: ${errorText(error)}`)
    }
  }
  if (keys.length === 0 && problems.length === 0)
    problems.push(`there is no key for signatures in the jwks.json ${what}`)
  return { keys, findings: problems.map(message => fails('ResolvedRefs', 'InvalidKeys', message)) }
}

interface WebKey extends JsonWebKey {
  readonly kid?: string
  readonly use?: string
  readonly alg?: string
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }
const ofRsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

/** @throws Error that says what is expected of a key */
function signingKey(key: KeyObject, { kid, alg }: Pick<WebKey, 'kid' | 'alg'>): SigningKey {
  const usual = key.asymmetricKeyType === 'rsa' ? 'RS256' : curves[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (usual === undefined) throw new Error('expected RSA, P-256, P-384 or P-521')
  const algorithm = alg ?? usual
  if (!(key.asymmetricKeyType === 'rsa' ? ofRsa : [usual]).includes(algorithm))
    throw new Error(`expected the algorithm ${usual}, found ${algorithm}`)
  return {
    ...(kid !== undefined && { id: kid }),
    algorithm,
    pem: key.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
