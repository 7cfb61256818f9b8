// The server's half of an HTTP/1.1 upgrade to SPDY/3.1, with the sub-protocol negotiated by Kubernetes'
// header X-Stream-Protocol-Version.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { SpdySession, type SpdySessionOptions } from './session.ts'

export const isSpdyUpgrade = (request: IncomingMessage): boolean =>
  /\bspdy\/3\.1\b/i.test(request.headers.upgrade ?? '')

/** The first of the client's protocols that is supported; undefined when there is none. */
export function negotiate(request: IncomingMessage, supported: readonly string[]): string | undefined {
  const asked = String(request.headers['x-stream-protocol-version'] ?? '')
    .split(',')
    .map(name => name.trim())
  return asked.find(name => supported.includes(name))
}

export function acceptSpdy(
  socket: Duplex,
  head: Buffer,
  protocol: string,
  options: Omit<SpdySessionOptions, 'role'>,
): SpdySession {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  )
  if (head.length > 0) socket.unshift(head)
  return new SpdySession(socket, { role: 'server', ...options })
}

/** Says no before the upgrade, in HTTP. */
export function refuseUpgrade(socket: Duplex, code: number, reason: string, message: string): void {
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code,
  })
  socket.end(
    `HTTP/1.1 ${code} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
