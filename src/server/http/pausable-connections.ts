// Lets connections of a TLS server be paused without losing what arrives. While an answer larger than the socket's
// buffer is on its way, Node.js stops reading requests. Its parser, which takes bytes straight from the socket, is
// then paused as well; but of what was read from the network already, TLS hands on every record, and a paused parser
// answers the next one with HPE_PAUSED: the connection is closed, and a request with it (a head and its body are two
// records). Bytes that pass through the socket's own buffer wait in it instead. Plain TCP hands on one piece at a
// time, and has not the fault.
import type { Server } from 'node:https'

export function keepRecordsWhilePaused(server: Server): void {
  server.on('secureConnection', socket => {
    // A listener for data is how Node.js is told that its parser must not take bytes past the socket's buffer.
    socket.on('data', nothing).off('data', nothing)
  })
}

const nothing = (): void => {}
