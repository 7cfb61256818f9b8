// Approves what nodes ask for themselves, when a role allows it. Source: pkg/controller/certificates/approver.
import {
  hasDecision,
  kubeletClientProblem,
  signerNames,
  type CertificateSigner,
  type RequestedCertificate,
} from '../../api/certificate-request.ts'
import type { CertificateSigningRequest } from '../../api/generated/models.ts'
import { certificateSigningRequests, subjectAccessReviews } from '../../api/resources.ts'
import type { Client } from '../../client/client.ts'
import { defineController, type ControllerDefinition } from '../../control/controller.ts'
import { formatTime } from '../../lib/clock.ts'

const recognized = [
  {
    right: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    matches: (request: CertificateSigningRequest, wanted: RequestedCertificate) =>
      request.spec.username === wanted.commonName,
  },
  {
    right: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    matches: () => true,
  },
] as const

export const certificateApproving = (signer: Pick<CertificateSigner, 'read'>): ControllerDefinition =>
  defineController({
    name: 'certificatesigningrequest-approving',
    primary: certificateSigningRequests,
    reconciler:
      ({ client, clock }) =>
      async name => {
        const request = client.informer(certificateSigningRequests).get({ name })
        if (
          request === undefined ||
          request.status?.certificate ||
          hasDecision(request, 'Approved') ||
          hasDecision(request, 'Denied')
        )
          return 'done'
        if (request.spec.signerName !== signerNames.kubeletClient) return 'done'
        const wanted = await signer.read(Buffer.from(request.spec.request, 'base64').toString()).catch(() => undefined)
        if (wanted === undefined || kubeletClientProblem(wanted, request.spec.usages ?? []) !== undefined) return 'done'
        for (const { right, message, matches } of recognized) {
          if (!matches(request, wanted) || !(await mayHave(client, request, right))) continue
          const condition = {
            type: 'Approved',
            status: 'True',
            reason: 'AutoApproved',
            message,
            lastUpdateTime: formatTime(clock.now()),
          }
          await client.update(
            certificateSigningRequests,
            {
              ...request,
              status: { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] },
            },
            { subresource: 'approval' },
          )
          return 'done'
        }
        return 'done'
      },
  })

async function mayHave(client: Client, { spec }: CertificateSigningRequest, subresource: string): Promise<boolean> {
  const { username, uid, groups, extra } = spec
  const review = await client.create(subjectAccessReviews, {
    metadata: {},
    spec: {
      user: username ?? '',
      ...(uid !== undefined && { uid }),
      ...(groups !== undefined && { groups: [...groups] }),
      ...(extra !== undefined && { extra }),
      resourceAttributes: {
        group: certificateSigningRequests.group,
        resource: certificateSigningRequests.plural,
        verb: 'create',
        subresource,
      },
    },
  })
  return review.status?.allowed ?? false
}
