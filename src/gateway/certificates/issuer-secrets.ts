// The Secrets of issuers, all of one namespace: keys of accounts, certificates, and orders that are under way.
import { isAlreadyExists } from '../../api/api-error.ts'
import type { Secret } from '../../api/generated/models.ts'
import { issuerNamespace, policyGroup } from '../../api/gateway-names.ts'
import { secrets } from '../../api/resources.ts'
import type { Client } from '../../client/client.ts'
import { secretTexts } from '../../client/secret-data.ts'
import { unlessNotFound } from '../../control/removal.ts'
import type { OrderedCertificate, OrderPlaces } from './order-certificate.ts'

const fieldManager = 'sampan-gateway'
/** Of a Secret: the directory of the authority that it is of. */
const serverAnnotation = `${policyGroup}/acme-server`
const issuerAnnotation = `${policyGroup}/issuer`

const place = (name: string): { readonly namespace: string; readonly name: string } => ({
  namespace: issuerNamespace,
  name,
})
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What it holds, decoded; undefined: there is none. */
export function heldTexts(client: Client, name: string): Readonly<Record<string, string>> | undefined {
  const found = client.informer(secrets).get(place(name))
  return found && secretTexts(found)
}

export const serverOf = (client: Client, name: string): string | undefined =>
  client.informer(secrets).get(place(name))?.metadata.annotations?.[serverAnnotation]

/** A key that somebody else made at the same time counts. */
export async function accountKeyIn(client: Client, name: string, make: () => string): Promise<string> {
  const found = heldTexts(client, name)?.['tls.key']
  if (found !== undefined) return found
  const key = make()
  try {
    await client.create(secrets, { metadata: place(name), type: 'Opaque', data: { 'tls.key': base64(key) } })
    return key
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const other = secretTexts(await client.get(secrets, place(name)))['tls.key']
    if (other === undefined)
      throw new Error(`the Secret "${name}" in ${issuerNamespace} has no tls.key`, { cause: error })
    return other
  }
}

/** @param certificate the name of the Secret that the order is for */
export function orderPlaces(client: Client, certificate: string, server: string): OrderPlaces {
  const name = `${certificate}-order`
  return {
    async pending() {
      const { url, 'tls.key': key } = serverOf(client, name) === server ? (heldTexts(client, name) ?? {}) : {}
      return url === undefined || key === undefined ? undefined : { url, key }
    },
    keep: ({ url, key }) =>
      applySecret(client, name, { type: 'Opaque', server, data: { url: base64(url), 'tls.key': base64(key) } }),
    async forget() {
      await unlessNotFound(client.delete(secrets, place(name)))
    },
  }
}

export const keepCertificate = (
  client: Client,
  name: string,
  { issuer, server, certificate: { chain, key } }: KeptCertificate,
): Promise<void> =>
  applySecret(client, name, {
    type: 'kubernetes.io/tls',
    server,
    issuer,
    data: { 'tls.crt': base64(chain), 'tls.key': base64(key) },
  })

interface KeptCertificate {
  readonly issuer: string
  readonly server: string
  readonly certificate: OrderedCertificate
}

interface AppliedSecret extends Pick<Secret, 'type' | 'data'> {
  readonly server: string
  readonly issuer?: string
}

async function applySecret(client: Client, name: string, { type, data, server, issuer }: AppliedSecret): Promise<void> {
  const annotations = { [serverAnnotation]: server, ...(issuer !== undefined && { [issuerAnnotation]: issuer }) }
  const value = { apiVersion: 'v1', kind: 'Secret', metadata: { ...place(name), annotations }, type, data }
  await client.patch(secrets, place(name), { type: 'apply', value, force: true }, { fieldManager })
}
