// Requests a second through the gateway beside plain HAProxy with a configuration written by hand, in turns, in front of
// the same service: an HAProxy that answers by itself.
import { createHash } from 'node:crypto'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../src/host/free-port.ts'
import { run } from '../../src/host/command.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { privateHaproxy } from '../../src/testing/private-haproxy.ts'
import type { Figures } from '../images/figures.ts'
import { modelOf } from './model-of.ts'

const rounds = 3
const services = 100

/** A key and a limit for each of so many consumers. */
const consumers = 1000
const keyOf = (consumer: number): string => `key-of-consumer-${consumer}`
const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex').toUpperCase()

const guard: Parameters<typeof modelOf>[2] = {
  handling: {
    policies: [
      {
        source: 'AccessPolicy bench/partners',
        identity: { keys: { header: 'x-api-key', credentials: 'key_bench' } },
        limits: [{ id: 'limit_bench', requests: 1_000_000_000, periodMs: 60_000, by: 'consumer' }],
      },
    ],
  },
  credentials: new Map([
    [
      'key_bench',
      new Map(
        Array.from({ length: consumers }, (_, consumer) => [
          digestOf(keyOf(consumer)),
          { name: `consumer-${consumer}`, isRefused: false },
        ]),
      ),
    ],
  ]),
}

export async function throughput(figures: Figures): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-bench-plain-'))
  const [answering, plainPort] = [await freePort(), await freePort()]
  const [gateway, guarded] = [await privateHaproxy(), await privateHaproxy()]
  const plain = spawn('haproxy', ['-f', configuration(directory, plainPort, answering)], { stdio: 'ignore' })
  try {
    const servers = [{ address: '127.0.0.1', port: answering, draining: false }]
    const names = Array.from({ length: services }, (_service, index) => [`web-${index}`, servers] as const)
    await gateway.haproxy.bring(modelOf(gateway.port, new Map(names)))
    await guarded.haproxy.bring(modelOf(guarded.port, new Map(names), guard))
    for (const port of [plainPort, gateway.port, guarded.port]) await eventually('it answers', () => answers(port))
    const found: Record<'plain' | 'gateway' | 'guarded', number[]> = { plain: [], gateway: [], guarded: [] }
    for (let round = 0; round < rounds; round++) {
      found.plain.push(await perSecond(plainPort))
      found.gateway.push(await perSecond(gateway.port))
      found.guarded.push(await perSecond(guarded.port))
    }
    const median = (values: readonly number[]): number =>
      values.toSorted((left, right) => left - right)[Math.floor(rounds / 2)]!
    figures.all['plain HAProxy, requests a second'] = Math.round(median(found.plain))
    figures.all['gateway, requests a second'] = Math.round(median(found.gateway))
    figures.all['gateway with key and limit, requests a second'] = Math.round(median(found.guarded))
    const percentage = (values: readonly number[]): number => Math.round((100 * median(values)) / median(found.plain))
    figures.all['gateway as a percentage of plain HAProxy'] = percentage(found.gateway)
    figures.all['gateway with key and limit as a percentage of plain HAProxy'] = percentage(found.guarded)
  } finally {
    plain.kill('SIGKILL')
    await once(plain, 'exit')
    await gateway.close()
    await guarded.close()
    rmSync(directory, { recursive: true })
  }
}

const host = 'web-50.localhost'

/** What somebody would write who has one service. */
function configuration(directory: string, port: number, answering: number): string {
  const file = join(directory, 'plain.cfg')
  writeFileSync(
    file,
    `defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend plain
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  use_backend web if { hdr(host) -i ${host} }
backend web
  server one 127.0.0.1:${answering}
frontend answering
  bind 127.0.0.1:${answering}
  http-request return status 200 content-type text/plain string ok
`,
  )
  return file
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    request({ host: '127.0.0.1', port, headers: { host, 'x-api-key': keyOf(7) } }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .on('error', () => resolve(false))
      .end()
  })
}

async function perSecond(port: number): Promise<number> {
  const headers = [`Host: ${host}`, `X-Api-Key: ${keyOf(7)}`].flatMap(header => ['-H', header])
  const { stdout } = await run('wrk', ['-t1', '-c32', '-d3s', ...headers, `http://127.0.0.1:${port}/orders`])
  if (/Non-2xx/.test(stdout)) throw new Error(`not all were answered: ${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}
