// Who is known by keys and passwords, and what is wrong with what they are known by. Nothing but digests leaves this file.
// Pure.
import { createHash } from 'node:crypto'
import type { Consumer, Credential } from '../../../api/gateway-api/policies.ts'
import { compareAges } from '../age-order.ts'
import { fails, type Finding } from '../findings.ts'
import type { PolicyInputs } from './policy-inputs.ts'

export interface OwnConsumer {
  readonly consumer: Consumer
  /** Digests of what it shows, by the way in which it is shown. */
  readonly shown: { readonly Key: readonly string[]; readonly Basic: readonly string[] }
  readonly findings: readonly Finding[]
}

/** What two of them show is shown by the older one. */
export function knownConsumers({ consumers, secret }: PolicyInputs): readonly OwnConsumer[] {
  const taken = new Map<string, string>()
  return consumers.toSorted(compareAges).map(consumer => {
    const { namespace = '', name } = consumer.metadata
    const shown = { Key: [] as string[], Basic: [] as string[] }
    const findings: Finding[] = []
    const invalid = (message: string): void => void findings.push(fails('Accepted', 'InvalidCredentials', message))
    for (const { type, secretRef } of consumer.spec.credentials ?? []) {
      const data = secret(namespace, secretRef.name)
      if (data === undefined) {
        invalid(`there is no Secret "${secretRef.name}" in the namespace ${namespace}`)
        continue
      }
      const text = shownText(type, data)
      if (text === undefined) {
        invalid(
          `expected ${fieldsOf[type].join(' and ')} in the Secret "${secretRef.name}", found ${foundIn(data, type)}`,
        )
        continue
      }
      const digest = digestOf(text)
      const holder = taken.get(`${namespace}/${type}/${digest}`)
      if (holder !== undefined && holder !== name) {
        invalid(`what the Secret "${secretRef.name}" holds is shown by the older Consumer "${holder}"`)
        continue
      }
      taken.set(`${namespace}/${type}/${digest}`, name)
      shown[type].push(digest)
    }
    return { consumer, shown, findings }
  })
}

const fieldsOf = { Key: ['key'], Basic: ['username', 'password'] } as const

const namesOf = (data: Readonly<Record<string, string>>): string => Object.keys(data).join(', ') || 'nothing'

function foundIn(data: Readonly<Record<string, string>>, type: Credential['type']): string {
  const empty = fieldsOf[type].filter(name => data[name]?.trim() === '')
  if (empty.length > 0) return `${empty.join(' and ')} with nothing in it`
  return type === 'Basic' && data['username']?.includes(':') === true ? 'a colon in username' : namesOf(data)
}

/** As a client sends it. A colon cannot be in a name (RFC 7617). */
function shownText(type: Credential['type'], data: Readonly<Record<string, string>>): string | undefined {
  if (type === 'Key') return notEmpty(data['key']?.trim())
  const name = notEmpty(data['username'])
  const password = notEmpty(data['password'])
  return name === undefined || password === undefined || name.includes(':')
    ? undefined
    : Buffer.from(`${name}:${password}`).toString('base64')
}

const notEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

/** As HAProxy writes it. */
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').toUpperCase()
