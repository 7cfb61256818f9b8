// An HTTPS server on loopback that answers as a test says: webhooks, aggregated API servers.
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { KeyPairPem } from '../server/auth/certificate-authority.ts'

export interface ReceivedCall {
  readonly request: IncomingMessage
  readonly body: string
}

export interface WebhookServer {
  readonly port: number
  readonly calls: readonly ReceivedCall[]
  close(): Promise<void>
}

/** What is returned is sent as JSON; undefined: the handler has answered, or never will. */
export type WebhookHandler = (call: ReceivedCall, response: ServerResponse) => unknown

export async function startWebhookServer(serving: KeyPairPem, handle: WebhookHandler): Promise<WebhookServer> {
  const calls: ReceivedCall[] = []
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const call = { request, body: await text(request) }
      calls.push(call)
      const answer = await handle(call, response)
      if (answer !== undefined) response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer))
    } catch {
      // The server under test has hung up, or the test's handler failed, which the test sees as a broken answer.
      response.destroy()
    }
  }
  const server = createServer(
    { cert: serving.certificate, key: serving.key, requestCert: true, rejectUnauthorized: false },
    (request, response) => void respond(request, response),
  )
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
