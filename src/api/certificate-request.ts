// What a request for a certificate asks for, and whether a signer of Kubernetes may grant it. Pure; reading
// and signing are the server's. Source: pkg/apis/certificates/helpers.go, pkg/controller/certificates/signer.
import type { CertificateSigningRequest } from './generated/models.ts'

export interface RequestedCertificate {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly addresses: readonly string[]
  readonly emails: readonly string[]
  readonly uris: readonly string[]
}

export interface CertificateSigner {
  /** @param pem of a PKCS #10 request. @throws Error when it is none */
  read(pem: string): Promise<RequestedCertificate>
  /** Signs it with the cluster's authority. @returns PEM. @throws Error when it is not signed with its own key */
  sign(pem: string, options: { readonly usages: readonly string[]; readonly seconds: number }): Promise<string>
}

export const signerNames = {
  apiServerClient: 'kubernetes.io/kube-apiserver-client',
  kubeletClient: 'kubernetes.io/kube-apiserver-client-kubelet',
  kubeletServing: 'kubernetes.io/kubelet-serving',
  legacyUnknown: 'kubernetes.io/legacy-unknown',
} as const

export const hasDecision = (request: CertificateSigningRequest, type: 'Approved' | 'Denied' | 'Failed'): boolean =>
  request.status?.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false

type Check = (wanted: RequestedCertificate, usages: readonly string[]) => string | undefined

const groupProblem = ({ organizations }: RequestedCertificate): string | undefined =>
  organizations.length === 1 && organizations[0] === 'system:nodes'
    ? undefined
    : 'subject organization is not system:nodes'
const nameProblem = ({ commonName }: RequestedCertificate): string | undefined =>
  commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'
/** Only kinds of names that are said to be allowed. */
function alternativeProblem(
  wanted: RequestedCertificate,
  refused: readonly (keyof typeof alternatives)[],
): string | undefined {
  const found = refused.find(kind => wanted[kind].length > 0)
  return found && `${alternatives[found]} subjectAltNames are not allowed`
}
const alternatives = { dnsNames: 'DNS', emails: 'Email', addresses: 'IP', uris: 'URI' } as const

const clientUsages = ['client auth', 'digital signature', 'key encipherment']
const serverUsages = ['digital signature', 'key encipherment', 'server auth']

/** Key encipherment is for RSA keys alone, so it may be missing. */
function sameUsages(usages: readonly string[], wanted: readonly string[]): boolean {
  const found = new Set(usages)
  const optional = 'key encipherment'
  return (
    wanted.every(usage => usage === optional || found.has(usage)) && [...found].every(usage => wanted.includes(usage))
  )
}

const usageProblem = (usages: readonly string[], wanted: readonly string[]): string | undefined =>
  sameUsages(usages, wanted) ? undefined : `usages did not match [${wanted.join(' ')}]`

/** What is wrong with a node's request for a client certificate; undefined: nothing. */
export const kubeletClientProblem: Check = (wanted, usages) =>
  groupProblem(wanted) ??
  alternativeProblem(wanted, ['dnsNames', 'emails', 'addresses', 'uris']) ??
  nameProblem(wanted) ??
  usageProblem(usages, clientUsages)

const kubeletServingProblem: Check = (wanted, usages) => {
  const nameless =
    wanted.dnsNames.length === 0 && wanted.addresses.length === 0 ? 'DNS or IP subjectAltName is required' : undefined
  return (
    groupProblem(wanted) ??
    nameless ??
    alternativeProblem(wanted, ['emails', 'uris']) ??
    usageProblem(usages, serverUsages) ??
    nameProblem(wanted)
  )
}

const apiServerClientProblem: Check = (_wanted, usages) => {
  const other = usages.find(usage => !clientUsages.includes(usage))
  if (other !== undefined) return `invalid usage for client certificate: ${other}`
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}

/** By the name of the signer; others are somebody else's. */
export const signerChecks: Readonly<Record<string, Check>> = {
  [signerNames.apiServerClient]: apiServerClientProblem,
  [signerNames.kubeletClient]: kubeletClientProblem,
  [signerNames.kubeletServing]: kubeletServingProblem,
  [signerNames.legacyUnknown]: () => undefined,
}
