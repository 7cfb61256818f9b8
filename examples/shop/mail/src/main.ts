// Mails: POST /mails {"text": "..."} puts one into the queue, and every instance sends what it finds there.
import { createServer, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import { connect, queueName } from './queue.ts'

const connection = connect()
const publisher = connection.createPublisher({ confirm: true, queues: [{ queue: queueName, durable: true }] })
let sent = 0
const consumer = connection.createConsumer({ queue: queueName, queueOptions: { durable: true } }, async message => {
  sent++
  console.log(`sent: ${(message.body as { text: string }).text}`)
})

const server = createServer((request, response) => {
  answer(request).then(
    ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    (error: unknown) => {
      console.error(`${request.method} ${request.url}: ${(error as Error).message}`)
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":"the queue does not answer"}')
    },
  )
})

async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  const { method, url } = request
  if (url === '/healthz') return { status: connection.ready ? 200 : 503, body: 'ok' }
  if (url !== '/mails') return { status: 404, body: { error: 'there is /mails' } }
  if (method === 'GET') return { status: 200, body: { version: process.env['SERVICE_VERSION'], sent } }
  const { text } = (await json(request)) as { text?: unknown }
  if (typeof text !== 'string' || text === '') return { status: 400, body: { error: 'expected a text' } }
  await publisher.send(queueName, { text })
  return { status: 202, body: {} }
}

server.listen(3000)
process.on('SIGTERM', () => {
  server.close(
    () =>
      void consumer
        .close()
        .then(() => publisher.close())
        .then(() => connection.close()),
  )
})
