// The shop's front: GET / shows the last orders, POST /buy {"article": "..."} orders one and has a mail sent.
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

const { ORDERS: orders, MAIL: mail, SERVICE_VERSION: version } = process.env

const server = createServer((request, response) => {
  answer(request).then(
    ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    (error: unknown) => response.writeHead(502).end((error as Error).message),
  )
})

async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  const { method, url } = request
  if (url === '/healthz') return { status: 200, body: 'ok' }
  if (method === 'POST' && url === '/buy') {
    const body = await text(request)
    const { id } = (await ask(`${orders}/orders`, body)) as { id: number }
    await ask(`${mail}/mails`, JSON.stringify({ text: `thank you for order ${id}` }))
    return { status: 201, body: { id } }
  }
  return { status: 200, body: { version, ...((await ask(`${orders}/orders`)) as object) } }
}

async function ask(url: string, body?: string): Promise<unknown> {
  const response = await fetch(url, {
    ...(body !== undefined && { method: 'POST', body }),
    signal: AbortSignal.timeout(5_000),
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return response.json()
}

server.listen(3000)
process.on('SIGTERM', () => void server.close())
