// CertificateApproval, CertificateSigning and CertificateSubjectRestriction: who may decide about requests
// for certificates, who may answer them, and what nobody gets that way. ClusterTrustBundleAttest has nothing
// to look at, since that kind is not served. Source: plugin/pkg/admission/certificates.
import { forbidden } from '../../api/api-error.ts'
import { signerNames } from '../../api/certificate-request.ts'
import type { CertificateSigningRequest } from '../../api/generated/models.ts'
import { certificateSigningRequests } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { formatTime } from '../../lib/clock.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'

const isAbout = ({ target, operation }: AdmissionRequest, wanted: 'CREATE' | 'UPDATE', subresource?: string): boolean =>
  operation === wanted &&
  target.kind.resource.group === certificateSigningRequests.group &&
  target.kind.resource.plural === certificateSigningRequests.plural &&
  target.subresource === subresource

/** Whether the caller may do it for this signer, or for all of its domain. */
function mayFor(
  { caller }: AdmissionRequest,
  { authorizer }: ServerContext,
  verb: 'approve' | 'sign',
  signer: string,
): boolean {
  const may = (name: string): boolean =>
    authorizer.authorize(caller.user, { verb, group: certificateSigningRequests.group, resource: 'signers', name })
      .allowed
  return may(signer) || may(`${signer.split('/', 1)[0]}/*`)
}

export const certificateApproval: AdmissionPlugin = {
  name: 'CertificateApproval',
  mutate(request, context) {
    if (isAbout(request, 'UPDATE', 'approval') || isAbout(request, 'UPDATE', 'status'))
      fillTimes(request, formatTime(context.clock.now()))
  },
  validate(request, context) {
    if (!isAbout(request, 'UPDATE', 'approval')) return
    const { signerName } = (request.old as CertificateSigningRequest).spec
    if (!mayFor(request, context, 'approve', signerName))
      throw forbidden(
        certificateSigningRequests,
        request.target.name,
        `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`,
      )
  },
}

/** Conditions whose writer says no time get the present one. (In the original the kind's strategy does it.) */
function fillTimes({ object, old }: AdmissionRequest, now: string): void {
  const before = (old as CertificateSigningRequest).status?.conditions ?? []
  for (const condition of (object as CertificateSigningRequest).status?.conditions ?? []) {
    condition.lastUpdateTime ??= now
    condition.lastTransitionTime ??=
      before.find(({ type, status }) => type === condition.type && status === condition.status)?.lastTransitionTime ??
      now
  }
}

export const certificateSigning: AdmissionPlugin = {
  name: 'CertificateSigning',
  validate(request, context) {
    if (!isAbout(request, 'UPDATE', 'status')) return
    const [now, old] = [request.object as CertificateSigningRequest, request.old as CertificateSigningRequest]
    if (
      now.status?.certificate === old.status?.certificate &&
      sameJson(now.status?.conditions ?? [], old.status?.conditions ?? [])
    )
      return
    const { signerName } = old.spec
    if (!mayFor(request, context, 'sign', signerName))
      throw forbidden(
        certificateSigningRequests,
        request.target.name,
        `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`,
      )
  },
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  async validate(request) {
    if (!isAbout(request, 'CREATE')) return
    const { metadata, spec } = request.object as CertificateSigningRequest
    if (spec.signerName !== signerNames.apiServerClient) return
    const { readCertificateRequest } = await import('../auth/certificate-requests.ts')
    const refuse = (why: string): Error => forbidden(certificateSigningRequests, metadata.name, why)
    let organizations: readonly string[]
    try {
      ;({ organizations } = readCertificateRequest(Buffer.from(spec.request, 'base64').toString()))
    } catch (error) {
      throw refuse(`failed to parse CSR: ${(error as Error).message}`)
    }
    if (organizations.includes('system:masters'))
      throw refuse(`use of ${spec.signerName} signer with system:masters group is not allowed`)
  },
}
