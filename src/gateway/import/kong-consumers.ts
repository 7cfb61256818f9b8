// Kong's consumers with their keys and passwords, as Consumers and Secrets. Pure.
// Source: Kong, consumers; plugin basic-auth, whose passwords are kept as digests of SHA-1.
import { policyGroup, policyVersion } from '../../api/gateway-names.ts'
import type { Credential } from '../../api/gateway-api/policies.ts'
import type { ImportContext } from './context.ts'
import { keyOf, tellUnread, type CredentialKind, type KongFile, type OwnedCredential } from './kong-file.ts'
import { isPublic, keysName } from './kong-tokens.ts'

export interface KongConsumers {
  readonly objects: readonly object[]
  /** Names of Consumers with their groups. */
  readonly groups: ReadonlyMap<string, readonly string[]>
}

const noCredential: Readonly<Partial<Record<CredentialKind, string>>> = {
  hmacauth_credentials: 'signed requests are not checked; give it a key',
  oauth2_credentials: 'the gateway gives out no tokens; give it a key, or use an issuer of tokens',
  mtls_auth_credentials: 'no client is asked for a certificate; give it a key',
}

const mostCredentials = 16

export function kongConsumers({ consumers, credentials }: KongFile, context: ImportContext): KongConsumers {
  const { namespace, names, report } = context
  const objects: object[] = []
  const groups = new Map<string, readonly string[]>()
  const owned = new Set<OwnedCredential>()
  for (const fields of consumers) {
    const given = fields.text('username') ?? fields.text('custom_id') ?? keyOf(fields)
    const keys = new Set([fields.text('username'), fields.text('custom_id'), fields.text('id')])
    const own = credentials.filter(({ owner }) => owner !== undefined && keys.has(owner))
    own.forEach(credential => owned.add(credential))
    const name = names.take('Consumer', given)
    const shown: Credential[] = []
    const ownGroups: string[] = []
    for (const credential of own) {
      const made = credentialOf(credential, name, context)
      objects.push(...made.objects)
      if (made.group !== undefined) ownGroups.push(made.group)
      if (made.credential !== undefined) shown.push(made.credential)
      tellUnread(credential.fields)
    }
    if (shown.length > mostCredentials)
      report.leftOut(
        fields.at,
        `expected at most ${mostCredentials} keys and passwords, found ${shown.length}; make another Consumer of the rest`,
      )
    if (name !== given) report.changed(fields.place('username'), `services are told ${name}, in place of ${given}`)
    if (fields.has('custom_id'))
      report.leftOut(
        fields.place('custom_id'),
        'services are told the name of the Consumer alone (X-Consumer-Name); have them look it up',
      )
    if (fields.has('groups') || fields.has('consumer_groups')) {
      const some = ['groups', 'consumer_groups']
        .flatMap(key => fields.objects(key))
        .flatMap(group => {
          const named = group.text('name')
          tellUnread(group)
          return named ?? []
        })
      ownGroups.push(...some)
      report.changed(fields.place('groups'), 'groups of an AccessPolicy; a policy of theirs is none here')
    }
    groups.set(name, ownGroups)
    objects.push({
      apiVersion: `${policyGroup}/${policyVersion}`,
      kind: 'Consumer',
      metadata: { name, namespace },
      spec: {
        ...(ownGroups.length > 0 && { groups: [...new Set(ownGroups)].slice(0, 32) }),
        ...(shown.length > 0 && { credentials: shown.slice(0, mostCredentials) }),
      },
    })
    report.kept(fields.at, `the Consumer ${name}`)
    tellUnread(fields)
  }
  for (const credential of credentials)
    if (!owned.has(credential)) {
      const { fields } = credential
      report.leftOut(
        fields.at,
        `there is no consumer ${credential.owner ?? ''} in the file; import both at once (${fields.unread().join(', ')})`,
      )
    }
  return { objects, groups }
}

interface MadeCredential {
  readonly objects: readonly object[]
  readonly credential?: Credential
  readonly group?: string
}

const nothing: MadeCredential = { objects: [] }

function credentialOf(
  { kind, fields, owner }: OwnedCredential,
  consumer: string,
  context: ImportContext,
): MadeCredential {
  const { namespace, names, report } = context
  const secretOf = (suffix: string, stringData: Readonly<Record<string, string>>): { name: string; object: object } => {
    const name = names.take('Secret', `${consumer}-${suffix}`)
    return {
      name,
      object: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque', stringData },
    }
  }
  switch (kind) {
    case 'acls': {
      const group = fields.text('group')
      return group === undefined ? nothing : { objects: [], group: group.slice(0, 63) }
    }
    case 'keyauth_credentials': {
      if (fields.has('ttl')) {
        fields.value('ttl')
        report.leftOut(fields.place('ttl'), 'a key is good until its Secret is deleted; delete it in time')
      }
      const key = fields.text('key')
      if (key === undefined && fields.has('key')) return nothing
      if (key === undefined || key.trim() === '') {
        report.leftOut(fields.at, 'it has no key to take over (Kong makes one up); write a Secret with a key')
        return nothing
      }
      const { name, object } = secretOf('key', { key })
      report.kept(fields.at, `the Secret ${name}`)
      return { objects: [object], credential: { type: 'Key', secretRef: { name } } }
    }
    case 'basicauth_credentials': {
      const username = fields.text('username')
      const password = fields.text('password')
      if (fields.has('encrypted_password') || fields.has('hash'))
        for (const key of ['encrypted_password', 'hash']) fields.value(key)
      if (
        username === undefined ||
        password === undefined ||
        /^[0-9a-f]{40}$/i.test(password) ||
        username.includes(':')
      ) {
        report.leftOut(
          fields.at,
          'its password is kept as a digest by Kong, which nobody turns back, or is not there; write a Secret with username and password',
        )
        return nothing
      }
      const { name, object } = secretOf('password', { username, password })
      report.kept(fields.at, `the Secret ${name}`)
      return { objects: [object], credential: { type: 'Basic', secretRef: { name } } }
    }
    case 'jwt_secrets': {
      const key = fields.text('rsa_public_key')
      const held = fields.unread().join(', ')
      for (const each of ['algorithm', 'key', 'secret']) fields.value(each)
      if (key === undefined || !isPublic(fields)) {
        report.leftOut(
          fields.at,
          `a secret (HS256) is no key to check a signature with; use an issuer with public keys (${held})`,
        )
        return nothing
      }
      const name = names.take('ConfigMap', keysName(owner ?? ''))
      report.kept(fields.at, `the ConfigMap ${name}, whose key says the algorithm`)
      return {
        objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { 'key.pem': key } }],
      }
    }
    default:
      report.leftOut(fields.at, `${noCredential[kind] ?? ''} (${fields.unread().join(', ')})`)
      for (const key of fields.unread()) fields.value(key)
      return nothing
  }
}
