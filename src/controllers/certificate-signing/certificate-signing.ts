// Answers approved requests to the signers of Kubernetes with a certificate of the cluster's authority.
// Source: pkg/controller/certificates/signer.
import { hasDecision, signerChecks, type CertificateSigner } from '../../api/certificate-request.ts'
import type { CertificateSigningRequest } from '../../api/generated/models.ts'
import { certificateSigningRequests } from '../../api/resources.ts'
import { defineController, type ControllerDefinition } from '../../control/controller.ts'
import { formatTime } from '../../lib/clock.ts'

const longestSeconds = 365 * 24 * 3600
const shortestSeconds = 600

export const certificateSigning = (signer: CertificateSigner): ControllerDefinition =>
  defineController({
    name: 'certificatesigningrequest-signing',
    primary: certificateSigningRequests,
    reconciler:
      ({ client, clock }) =>
      async name => {
        const request = client.informer(certificateSigningRequests).get({ name })
        if (request === undefined || !awaitsSigning(request)) return 'done'
        const check = signerChecks[request.spec.signerName]
        if (check === undefined) return 'done'
        const status = await answer(request, check, signer, formatTime(clock.now()))
        await client.update(
          certificateSigningRequests,
          { ...request, status: { ...request.status, ...status } },
          { subresource: 'status' },
        )
        return 'done'
      },
  })

const awaitsSigning = (request: CertificateSigningRequest): boolean =>
  !request.status?.certificate &&
  hasDecision(request, 'Approved') &&
  !hasDecision(request, 'Denied') &&
  !hasDecision(request, 'Failed')

async function answer(
  { spec, status }: CertificateSigningRequest,
  check: (typeof signerChecks)[string],
  signer: CertificateSigner,
  now: string,
): Promise<Partial<NonNullable<CertificateSigningRequest['status']>>> {
  const pem = Buffer.from(spec.request, 'base64').toString()
  const { usages = [], expirationSeconds = longestSeconds } = spec
  const failed = (message: string): { conditions: NonNullable<NonNullable<typeof status>['conditions']> } => ({
    conditions: [
      ...(status?.conditions ?? []),
      { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message, lastUpdateTime: now },
    ],
  })
  try {
    const problem = check(await signer.read(pem), usages)
    if (problem !== undefined) return failed(problem)
    const certificate = await signer.sign(pem, {
      usages,
      seconds: Math.max(shortestSeconds, Math.min(longestSeconds, expirationSeconds)),
    })
    return { certificate: Buffer.from(certificate).toString('base64') }
  } catch (error) {
    // The original tries such a request again and again.
    return failed((error as Error).message)
  }
}
