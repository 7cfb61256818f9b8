// Bounded load on one URL or more, with commas between them, run as a program of its own so that it can stand in a network namespace:
//   node http-load.ts 'URL URL...' KEPT_ALIVE NEW_EACH_TIME PAUSE_MS
// Connections of both kinds, so many to each, ask one request after another until standard input ends; then one line of
// JSON says how many answers came and which requests failed.
import { Agent, request } from 'node:http'
import type { LookupFunction } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LoadReport {
  readonly requests: number
  readonly failures: readonly string[]
  /** Answers by what `version` and `backendVersion` in them say. */
  readonly versions: Readonly<Record<string, number>>
  readonly slowestMs: number
}

const [urls = '', keptAlive = '4', newEachTime = '4', pauseMs = '10'] = process.argv.slice(2)
const failures: string[] = []
const versions: Record<string, number> = {}
let requests = 0
let slowestMs = 0
let stopping = false
process.stdin
  .on('end', () => {
    stopping = true
  })
  .resume()

function ask(url: string, agent: Agent): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const outgoing = request(url, { agent, timeout: 10_000, ...ofThisMachine(url) }, response => {
    let body = ''
    response
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        body += chunk
      })
      .on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      .on('error', reject)
  })
  outgoing
    .on('timeout', () => outgoing.destroy(new Error('no answer within 10 s')))
    .on('error', reject)
    .end()
  return promise
}

/** Names below `localhost` are this machine's for curl and browsers, and not for everybody's resolver. */
function ofThisMachine(url: string): { readonly lookup?: LookupFunction } {
  if (!new URL(url).hostname.endsWith('.localhost')) return {}
  return { lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]) }
}

async function worker(url: string, agent: Agent, kind: string): Promise<void> {
  while (!stopping) {
    const startMs = performance.now()
    requests++
    try {
      const { status, body } = await ask(url, agent)
      if (status === 200) {
        const { version, backendVersion } = JSON.parse(body) as { version: string; backendVersion: string }
        const key = `${version}/${backendVersion}`
        versions[key] = (versions[key] ?? 0) + 1
      } else failures.push(`${new Date().toISOString()} ${url} ${kind}: ${status} ${body.trim()}`)
    } catch (error) {
      failures.push(`${new Date().toISOString()} ${url} ${kind}: ${(error as Error).message}`)
    }
    slowestMs = Math.max(slowestMs, performance.now() - startMs)
    await sleep(Number(pauseMs))
  }
  agent.destroy()
}

const workers = (count: string, kind: string, options: object): Promise<void>[] =>
  urls.split(' ').flatMap(url => Array.from({ length: Number(count) }, () => worker(url, new Agent(options), kind)))
await Promise.all([
  ...workers(keptAlive, 'kept alive', { keepAlive: true, maxSockets: 1 }),
  ...workers(newEachTime, 'new connection', { keepAlive: false }),
])
console.log(JSON.stringify({ requests, failures, versions, slowestMs: Math.round(slowestMs) } satisfies LoadReport))
