// Kong's plugin jwt, as the check of a token: an AccessPolicy knows one issuer with public keys, and consumers of Kong each
// have a key of their own. Pure. Source: Kong, plugin jwt.
import type { ImportContext } from './context.ts'
import type { Effect } from './effect.ts'
import type { Fields } from './fields.ts'
import type { KongFile } from './kong-file.ts'
import { plainName } from './names.ts'

export function tokenAuth(
  config: Fields,
  { credentials }: KongFile,
  { report }: ImportContext,
): Omit<Effect, 'at' | 'plugin' | 'name'> {
  const claim = config.text('key_claim_name') ?? 'iss'
  const secrets = credentials.filter(({ kind }) => kind === 'jwt_secrets')
  const usable = secrets.filter(({ fields }) => isPublic(fields) && fields.text('key') !== undefined)
  if (config.has('claims_to_verify')) {
    config.texts('claims_to_verify')
    report.kept(config.place('claims_to_verify'), 'exp and nbf are looked at, always')
  }
  config.flag('secret_is_base64')
  config.flag('run_on_preflight')
  for (const key of ['uri_param_names', 'cookie_names'])
    if ((config.texts(key) ?? []).length > 0)
      report.leftOut(config.place(key), 'a token is looked for in Authorization: Bearer alone; have clients send it so')
  if ((config.texts('header_names') ?? ['authorization']).some(name => name.toLowerCase() !== 'authorization'))
    report.leftOut(
      config.place('header_names'),
      'a token is looked for in Authorization: Bearer alone; have clients send it so',
    )
  if ((config.number('maximum_expiration') ?? 0) > 0)
    report.leftOut(config.place('maximum_expiration'), 'how long a token is good is for its issuer to say')
  if ((config.text('anonymous') ?? '') !== '')
    report.leftOut(
      config.place('anonymous'),
      'who shows nothing is not let in as somebody else; make a route of its own for them',
    )
  const [first] = usable
  if (first === undefined || usable.length > 1 || claim !== 'iss') {
    report.leftOut(
      config.at,
      claim === 'iss'
        ? `an AccessPolicy has one issuer with public keys (RS256, ES256 ...), and there are ${secrets.length} jwt_secrets, of which ${usable.length} are such; nobody is let in until you write it, and a route for each issuer where there are several`
        : `who made a token is said by iss, and not by ${claim}; nobody is let in until you write an AccessPolicy`,
    )
    return { isClosed: true }
  }
  if (secrets.length > 1)
    report.changed(
      config.at,
      `tokens of ${first.fields.text('key')} are taken, and none that are signed with a secret (${secrets.length - 1} jwt_secrets)`,
    )
  report.changed(
    config.at,
    'its key is a copy in a ConfigMap; where the issuer publishes its keys, leave keysRef out, or write jwksUri',
  )
  report.changed(config.at, 'a token needs exp; services are told sub by X-Consumer-Name')
  return {
    authentication: {
      jwt: {
        issuer: first.fields.text('key')!,
        keysRef: { kind: 'ConfigMap', name: keysName(first.owner ?? '') },
        consumerClaim: 'sub',
      },
    },
  }
}

export const keysName = (owner: string): string => plainName(`${owner}-signing-keys`)

/** HMAC has one key for both sides, which is no key to check with. */
export const isPublic = (fields: Fields): boolean =>
  fields.has('rsa_public_key') && !(fields.text('algorithm') ?? 'HS256').startsWith('HS')
