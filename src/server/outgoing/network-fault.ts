// Failed connections in the words in which Kubernetes' users know them, which are those of Go.

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
}

const untrusted = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
])

interface NodeFault extends Error {
  readonly code?: string
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
  readonly host?: string
  readonly cert?: { readonly subjectaltname?: string }
}

const unverified = (why: string): string => `tls: failed to verify certificate: x509: ${why}`

export function networkFaultText(error: unknown): string {
  const fault = error as NodeFault
  const { code = '', message } = fault
  if (unreachable[code] !== undefined && fault.address !== undefined)
    return `dial tcp ${hostAndPort(fault.address, fault.port)}: ${unreachable[code]}`
  if (untrusted.has(code)) return unverified('certificate signed by unknown authority')
  if (message === 'socket hang up') return 'EOF'
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${fault.hostname ?? ''}: no such host`
    case 'ECONNRESET':
      return 'read: connection reset by peer'
    case 'EPIPE':
      return 'write: broken pipe'
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return unverified('certificate has expired or is not yet valid')
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return unverified(`certificate is valid for ${namesOf(fault)}, not ${fault.host ?? ''}`)
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'tls: first record does not look like a TLS handshake'
    default:
      return code.startsWith('HPE_') ? `net/http: HTTP/1.x transport connection broken: ${message}` : message
  }
}

const namesOf = ({ cert }: NodeFault): string =>
  (cert?.subjectaltname ?? '')
    .split(', ')
    .map(name => name.replace(/^(?:DNS|IP Address):/, ''))
    .join(', ')

export const hostAndPort = (host: string, port: number | undefined): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port ?? 0}`
