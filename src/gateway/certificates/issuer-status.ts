// What an issuer's status says of it as a whole, and what people are warned of. Pure.
import type { Condition } from '../../api/generated/models.ts'
import type { CertificateIssuer, IssuedCertificate } from '../../api/gateway-api/certificate-issuers.ts'
import { fails, holds, type Finding } from '../model/findings.ts'

/** @param taken domains that an older issuer has */
export function issuerFinding(
  certificates: readonly IssuedCertificate[],
  taken: readonly string[],
  nowMs: number,
): Finding {
  const failing = certificates.filter(({ message }) => message !== undefined)
  if (failing.length > 0)
    return fails('Ready', failing[0]!.reason ?? 'Failed', failing.map(each => failureText(each, nowMs)).join('; '))
  if (taken.length > 0) return fails('Ready', 'AlreadyTaken', `an older CertificateIssuer has ${taken.join(', ')}`)
  const missing = certificates.filter(({ notAfter }) => notAfter === undefined)
  if (missing.length > 0)
    return fails('Ready', 'Pending', `certificates are got for ${missing.map(({ domain }) => domain).join(', ')}`)
  return certificates.length === 0
    ? holds('Ready', 'NothingToDo', 'no host that is served needs a certificate of it')
    : holds('Ready', 'Ready', 'each host that it is for has a certificate')
}

/** `no new certificate for *.test.example.com: ...; tried again at ...; the one before is shown until ...` */
export function failureText({ domain, message, nextAttemptTime, notAfter }: IssuedCertificate, nowMs: number): string {
  const isShown = notAfter !== undefined && Date.parse(notAfter) > nowMs
  return [
    `no ${isShown ? 'new ' : ''}certificate for ${domain}: ${message}`,
    ...(nextAttemptTime === undefined ? [] : [`tried again at ${nextAttemptTime}`]),
    ...(isShown ? [`the one before is shown until ${notAfter}`] : []),
  ].join('; ')
}

/** With the time since which it is so. */
export function readyCondition({ metadata, status }: CertificateIssuer, finding: Finding, now: string): Condition {
  const before = status?.conditions?.find(({ type }) => type === finding.type)
  return {
    ...finding,
    ...(metadata.generation !== undefined && { observedGeneration: metadata.generation }),
    lastTransitionTime: before?.status === finding.status ? before.lastTransitionTime : now,
  }
}
