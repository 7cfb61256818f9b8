// Speaks to kubectl and other clients for exec and attach, and pumps between them and a RemoteSession.
// WebSocket: v5 (with a signal that stdin ended), v4 and the older sub-protocols, plain or base64.
// SPDY/3.1: v4, v3 and v2, which kubectl falls back to.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { RemoteSession, StreamOptions } from './node-streams.ts'
import { isSpdyUpgrade, refuseUpgrade } from './spdy/accept-upgrade.ts'
import { serveCommandOverSpdy } from './remote-command-spdy.ts'
import { serveCommandOverWebSocket } from './remote-command-websocket.ts'

/** `open` is called before the upgrade is accepted: what it throws is thrown here, and nothing was answered yet. */
export async function serveRemoteCommand(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  open: () => Promise<RemoteSession>,
  options: StreamOptions,
): Promise<void> {
  socket.on('error', () => {})
  if (isSpdyUpgrade(request)) await serveCommandOverSpdy(request, socket, head, open, options)
  else if (/^websocket$/i.test(request.headers.upgrade ?? ''))
    await serveCommandOverWebSocket(request, socket, head, open)
  else refuseUpgrade(socket, 400, 'BadRequest', 'expected an upgrade to websocket or SPDY/3.1')
}
