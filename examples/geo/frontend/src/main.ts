// The geo frontend: answers HTTP and asks the backend over gRPC, found by its DNS name.
//   GET /distance?from=52.52,13.405&to=48.8566,2.3522
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import { backend, type Point } from './backend.ts'

const port = Number(process.env['PORT'] ?? 8080)
const version = process.env['SERVICE_VERSION'] ?? 'unknown'
let stopping = false

function pointOf(text: string | null): Point | undefined {
  const numbers = (text ?? '').split(',').map(Number)
  return numbers.length === 2 && numbers.every(Number.isFinite)
    ? { latitude: numbers[0]!, longitude: numbers[1]! }
    : undefined
}

function send(response: ServerResponse, code: number, body: object): void {
  // While stopping, clients are asked to open their next connection elsewhere.
  response.writeHead(code, { 'Content-Type': 'application/json', ...(stopping && { Connection: 'close' }) })
  response.end(`${JSON.stringify(body)}\n`)
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://frontend')
  if (url.pathname === '/healthz') return send(response, 200, { status: 'ok' })
  if (url.pathname !== '/distance')
    return send(response, 404, { error: 'try /distance?from=52.52,13.405&to=48.8566,2.3522' })
  const from = pointOf(url.searchParams.get('from'))
  const to = pointOf(url.searchParams.get('to'))
  if (from === undefined || to === undefined)
    return send(response, 400, { error: 'expected from=LATITUDE,LONGITUDE and to=LATITUDE,LONGITUDE' })
  try {
    const { kilometers, servedBy, version: backendVersion } = await backend.distanceBetween(from, to)
    send(response, 200, {
      kilometers: Math.round(kilometers * 10) / 10,
      frontend: hostname(),
      version,
      backend: servedBy,
      backendVersion,
    })
  } catch (error) {
    send(response, 502, { error: `the backend did not answer: ${(error as Error).message}` })
  }
}

const server = createServer((request, response) => void answer(request, response))
server.keepAliveTimeout = 65_000
server.listen(port, '0.0.0.0', () => console.log(`geo-frontend ${version} listens on ${port}`))

/** How long clients with open connections get to be told that they end: closing one that is idle could meet its next request. */
const partingMs = 2000

process.once('SIGTERM', () => {
  console.log('stopping: requests under way are finished')
  stopping = true
  setTimeout(
    () =>
      server.close(() => {
        backend.close()
        process.exit(0)
      }),
    partingMs,
  )
})
