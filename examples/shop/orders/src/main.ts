// Orders, kept in PostgreSQL: GET /orders lists the last ones, POST /orders {"article": "..."} takes one.
import { createServer, type IncomingMessage } from 'node:http'
import { json } from 'node:stream/consumers'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 5, connectionTimeoutMillis: 3_000 })
// A connection that breaks while nobody uses it is replaced at the next query.
pool.on('error', error => console.error(`database: ${error.message}`))

const server = createServer((request, response) => {
  answer(request).then(
    ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    (error: unknown) => {
      console.error(`${request.method} ${request.url}: ${(error as Error).message}`)
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":"the database does not answer"}')
    },
  )
})

async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  const { method, url } = request
  if (url === '/healthz') return { status: 200, body: 'ok' }
  if (url !== '/orders') return { status: 404, body: { error: 'there is /orders' } }
  if (method === 'GET') {
    const { rows } = await pool.query('select id, article, at from orders order by id desc limit 20')
    return { status: 200, body: { version: process.env['SERVICE_VERSION'], orders: rows } }
  }
  const { article } = (await json(request)) as { article?: unknown }
  if (typeof article !== 'string' || article === '') return { status: 400, body: { error: 'expected an article' } }
  const { rows } = await pool.query('insert into orders (article) values ($1) returning id', [article])
  return { status: 201, body: rows[0] }
}

server.listen(3000)
process.on('SIGTERM', () => {
  server.close(() => void pool.end())
})
