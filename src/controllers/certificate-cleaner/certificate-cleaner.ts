// Deletes requests for certificates that are over: an hour after they were answered, denied or failed, a day
// after they were made when nobody answers, and when the certificate ends.
// Source: pkg/controller/certificates/cleaner.
import { X509Certificate } from 'node:crypto'
import type { CertificateSigningRequest } from '../../api/generated/models.ts'
import { certificateSigningRequests } from '../../api/resources.ts'
import { defineController } from '../../control/controller.ts'
import { removeObject } from '../../control/removal.ts'

const hourMs = 3_600_000

export const certificateCleaner = defineController({
  name: 'certificatesigningrequest-cleaner',
  primary: certificateSigningRequests,
  reconciler:
    ({ client, clock }) =>
    async name => {
      const request = client.informer(certificateSigningRequests).get({ name })
      if (request === undefined) return 'done'
      const leftMs = endOf(request) - clock.now()
      if (leftMs === Infinity) return 'done'
      if (leftMs > 0) return { requeueAfterMs: leftMs }
      await removeObject(client, certificateSigningRequests, request)
      return 'done'
    },
})

/** When the request is deleted, in epoch milliseconds; Infinity: not by this loop. */
export function endOf({ metadata, status }: CertificateSigningRequest): number {
  const conditions = status?.conditions ?? []
  if (conditions.length === 0) return Date.parse(metadata.creationTimestamp) + 24 * hourMs
  const certificate = status?.certificate
  const ends = conditions.flatMap(({ type, lastUpdateTime }) => {
    const over = type === 'Denied' || type === 'Failed' || (type === 'Approved' && certificate)
    return over && lastUpdateTime !== undefined ? [Date.parse(lastUpdateTime) + hourMs] : []
  })
  return Math.min(...ends, ...(certificate ? [certificateEnd(certificate)] : []))
}

function certificateEnd(base64: string): number {
  try {
    return Date.parse(new X509Certificate(Buffer.from(base64, 'base64')).validTo)
  } catch {
    // What somebody else wrote there is not for this loop to judge.
    return Infinity
  }
}
