// CertificateIssuer as the gateway reads it: a public authority, and the domains that it may be asked about. What a field may
// hold is said by the definition (src/gateway/kinds/certificate-issuer.ts).
import type { Condition, ObjectMeta } from '../generated/models.ts'

export interface CertificateIssuer {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: {
    /** `shop.example.com`, `*.test.example.com`: each has one certificate. */
    domains: string[]
    acme: AcmeSettings
  }
  status?: CertificateIssuerStatus
}

/** Secrets are in `kube-system`. */
export interface AcmeSettings {
  /** URL of the authority's directory. */
  server: string
  email?: string
  /** Authorities of the server's own certificate: PEM in Base64. */
  caBundle?: string
  /** The account's key; made where it is missing. */
  privateKeySecretRef?: { name: string }
  externalAccountBinding?: { keyID: string; keySecretRef: { name: string; key: string } }
  solver: { http01?: object; dns01?: { propagationSeconds: number } }
}

export interface CertificateIssuerStatus {
  conditions?: Condition[]
  acme?: { uri: string }
  certificates?: IssuedCertificate[]
  /** Open ones, which the gateway answers. */
  challenges?: OpenChallenge[]
}

/** What is known of the certificate of one domain. Times as Kubernetes writes them. */
export interface IssuedCertificate {
  domain: string
  secretName: string
  notBefore?: string
  notAfter?: string
  renewalTime?: string
  /** When the last ones were got, the newest last. */
  issuances?: string[]
  /** Since the last one was got, for the issuer in this generation. */
  failures?: number
  observedGeneration?: number
  nextAttemptTime?: string
  reason?: string
  /** Why there is none, or no new one. */
  message?: string
}

export interface OpenChallenge {
  host: string
  token: string
  keyAuthorization: string
}
