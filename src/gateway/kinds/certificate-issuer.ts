// CertificateIssuer: a public authority, and the domains that it may be asked about.
import { conditions } from './conditions.ts'
import { ageColumn, column, conditionColumn } from './definition.ts'
import { objectName, wildcardHostname } from './names-and-references.ts'
import { policyDefinition } from './policies/definition.ts'
import { described, integer, list, object, rule, ruled, set, text, whole, withDefault } from './schema.ts'

/** Names of Secrets are made of them. */
const domain = { ...text(230, 1), pattern: wildcardHostname }
const time = { type: 'string', format: 'date-time' }
const count = { ...integer(0), format: 'int64' }

const solver = ruled(
  object({
    http01: described('By an answer at port 80 of the name, which the gateway gives.', object({})),
    dns01: described(
      'By a record in DNS, which the program of --acme-dns-command makes.',
      object({
        propagationSeconds: described('How long to wait for the record to be seen.', withDefault(integer(0, 3600), 30)),
      }),
    ),
  }),
  rule('expected http01 or dns01, one of them', 'has(self.http01) != has(self.dns01)'),
)

const acme = object(
  {
    server: described(
      'The directory of the authority.',
      withDefault({ ...text(2048), pattern: '^https://' }, 'https://acme-v02.api.letsencrypt.org/directory'),
    ),
    email: described('Whom the authority writes to.', text(254, 3)),
    caBundle: described("Who vouches for the server's own certificate: PEM in Base64.", {
      type: 'string',
      format: 'byte',
      maxLength: 65536,
    }),
    privateKeySecretRef: described(
      'The Secret with the key of the account, in kube-system; made where it is missing.',
      whole({ name: objectName }),
    ),
    externalAccountBinding: described(
      'An account that the authority has already: its id, and a key in a Secret of kube-system.',
      whole({ keyID: text(1024, 1), keySecretRef: whole({ name: objectName, key: text(253, 1) }) }),
    ),
    solver: described('How names are proven.', solver),
  },
  ['solver'],
)

const certificate = object(
  {
    domain,
    secretName: objectName,
    notBefore: time,
    notAfter: time,
    renewalTime: time,
    issuances: list(time, 5),
    failures: count,
    observedGeneration: count,
    nextAttemptTime: time,
    reason: text(1024),
    message: text(32768),
  },
  ['domain', 'secretName'],
)

export const certificateIssuer = policyDefinition({
  kind: 'CertificateIssuer',
  plural: 'certificateissuers',
  scope: 'Cluster',
  columns: [
    conditionColumn('Ready'),
    column('Message', '.status.conditions[?(@.type=="Ready")].message', 1),
    ageColumn,
  ],
  description: 'Gets certificates of a public authority for the hosts that the gateway serves.',
  spec: ruled(
    object(
      {
        domains: described(
          'What it may be asked about. *.test.example.com is one certificate for all hosts below; hosts without one of their own get it.',
          { ...set(domain, 100), minItems: 1 },
        ),
        acme: described('An authority that speaks ACME (RFC 8555).', acme),
      },
      ['domains', 'acme'],
    ),
    rule(
      'a wildcard is proven by dns01 alone: name each host, or choose solver.dns01',
      "has(self.acme.solver.http01) ? self.domains.all(domain, !domain.startsWith('*')) : true",
    ),
  ),
  status: object({
    conditions: conditions(),
    acme: whole({ uri: text(2048) }),
    certificates: list(certificate, 100),
    challenges: list(whole({ host: text(253), token: text(256), keyAuthorization: text(512) }), 100),
  }),
})
