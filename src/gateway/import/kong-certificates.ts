// Kong's certificates, as Secrets. Pure. Source: Kong, certificate and SNI.
import type { ImportContext } from './context.ts'
import type { Fields } from './fields.ts'
import { tellUnread, type KongFile } from './kong-file.ts'

export function kongCertificates(
  { certificates, authorities }: KongFile,
  { namespace, names, report }: ImportContext,
): readonly object[] {
  for (const fields of new Set(authorities.values())) {
    fields.text('cert')
    if (fields.has('cert_digest')) fields.value('cert_digest')
    report.passedOver('ca_certificates', 'each stands in a ConfigMap where a service names it')
  }
  return certificates.flatMap(fields => {
    const snis = namesOf(fields)
    const [cert, key] = [fields.text('cert'), fields.text('key')]
    const made =
      cert === undefined || key === undefined
        ? []
        : [
            {
              apiVersion: 'v1',
              kind: 'Secret',
              metadata: {
                name: names.take('Secret', `${snis[0]?.replace('*', 'all') ?? 'certificate'}-tls`),
                namespace,
              },
              type: 'kubernetes.io/tls',
              stringData: { 'tls.crt': cert, 'tls.key': key },
            },
          ]
    if (made.length === 0)
      report.leftOut(
        fields.at,
        `expected a certificate (cert) with its key; make a Secret of both for ${snis.join(', ')}`,
      )
    else
      report.leftOut(
        fields.at,
        `it is the Secret ${made[0]!.metadata.name} and shown by nobody yet; name it in the certificateRefs of a listener, for ${snis.join(', ') || 'whom it is for'}`,
      )
    for (const other of ['cert_alt', 'key_alt', 'passphrase'])
      if (fields.has(other)) {
        fields.value(other)
        report.leftOut(
          fields.place(other),
          'one certificate and one key without a password is all; make another Secret of it',
        )
      }
    tellUnread(fields)
    return made
  })
}

/** Names, or entities of their own. */
function namesOf(fields: Fields): readonly string[] {
  const value = fields.value('snis')
  if (!Array.isArray(value)) return [fields.text('name')].filter(name => name !== undefined)
  if (value.every(each => typeof each === 'string')) return value
  return fields.objects('snis').flatMap(sni => {
    const name = sni.text('name')
    tellUnread(sni)
    return name ?? []
  })
}
