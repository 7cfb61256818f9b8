// What a service is told of the certificate that a client showed, as lines of HAProxy's configuration. What a client says of
// itself is taken away, wherever it asks. Pure. Sources: Envoy, `x-forwarded-client-cert`; RFC 9440; RFC 4514 (RFC 2253).
import type { ClientCheck } from '../model/model.ts'
import { isHandedOver } from './hand-over-lines.ts'

/** `SUCCESS`, `FAILED` or `NONE`. */
const verifyHeader = 'X-Forwarded-Client-Verify'
/** Digest and subject, in Envoy's words. */
const subjectHeader = 'X-Forwarded-Client-Cert'
/** All of it. */
const certificateHeader = 'Client-Cert'

/**
 * HAProxy would take a session up again that began at another port, where nobody, or another authority, was asked for. All of
 * its ports share what it knows of sessions, so that it is to know nothing.
 */
export const noResumption = 'tune.ssl.cachesize 0'

/** Errors that are let pass are none of the handshake. */
const isVerified = '{ ssl_c_used } { ssl_c_verify 0 } { ssl_c_err 0 } { ssl_c_ca_err 0 }'

/** @param clients what they are asked for; undefined: nothing, so that nothing is known of them */
export function clientLines(clients: ClientCheck | undefined): readonly string[] {
  const remove = [verifyHeader, subjectHeader, certificateHeader, 'Client-Cert-Chain'].map(
    name => `http-request del-header ${name}`,
  )
  if (clients === undefined) return remove
  // What is handed over has been told by the process that the client is connected to.
  return [
    ...remove.map(line => `${line} unless ${isHandedOver}`),
    `http-request set-header ${verifyHeader} NONE unless ${isHandedOver}`,
    `http-request set-header ${verifyHeader} FAILED if { ssl_c_used }`,
    ...[
      `${verifyHeader} SUCCESS`,
      String.raw`${subjectHeader} Hash=%[ssl_c_der,sha2(256),hex,lower];Subject=\"%[ssl_c_s_dn(,0,rfc2253)]\"`,
      `${certificateHeader} :%[ssl_c_der,base64]:`,
    ].map(told => `http-request set-header ${told} if ${isVerified}`),
  ]
}
