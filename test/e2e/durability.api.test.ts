// The whole API server over HTTPS is killed with SIGKILL at random points under concurrent writers. Every
// writer has objects of its own, so a watch that resumes where the last one ended must tell exactly what
// was acknowledged, in order, and at most the one write besides that was on its way.
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { ApiError } from '../../src/api/api-error.ts'
import type { ConfigMap } from '../../src/api/generated/models.ts'
import { configMaps } from '../../src/api/resources.ts'
import { HttpClient } from '../../src/client/http-client.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { bundle } from '../../scripts/bundle.ts'
import {
  createAuthority,
  generateSigningKey,
  signCertificate,
  type KeyPairPem,
} from '../../src/server/auth/certificate-authority.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { isThorough } from '../../src/testing/thoroughness.ts'
import type { ApiProcessOptions } from './processes/api-server.ts'

const kills = Number(process.env['SAMPAN_API_KILLS'] ?? (isThorough ? 200 : 40))
const seed = Number(process.env['SAMPAN_SEED'] ?? Date.now() % 1_000_000)
const writers = 12
const labels = { test: 'durability' }

interface Step {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly serial: string
  /** Revision in the answer; undefined while there is none, and for deletions, whose answer has none. */
  revision?: number
  acknowledged: boolean
}

interface Keys {
  readonly authority: string
  readonly serving: KeyPairPem
  readonly admin: KeyPairPem
  readonly tokenKey: string
}

async function makeKeys(): Promise<Keys> {
  const nowMs = Date.now()
  const authority = await createAuthority('test-ca', 2, nowMs)
  const [serving, admin, tokenKey] = await Promise.all([
    signCertificate(
      authority,
      { commonName: 'kube-apiserver', usage: 'server', days: 1, dnsNames: ['localhost'], addresses: ['127.0.0.1'] },
      nowMs,
    ),
    signCertificate(
      authority,
      { commonName: 'admin', organizations: ['system:masters'], usage: 'client', days: 1 },
      nowMs,
    ),
    generateSigningKey(),
  ])
  return { authority: authority.certificate, serving, admin, tokenKey }
}

class Run {
  readonly random = seededRandom(seed)
  port = 0
  private running: ChildProcess | undefined
  acknowledgedWrites = 0
  private readonly directory = mkdtempSync(join(tmpdir(), 'sampan-durability-'))
  private readonly program = join(this.directory, 'program')
  private readonly keys: Keys
  /** Steps since the last check, for each object. */
  private steps = new Map<string, Step[]>()
  private readonly existing = new Set<string>()
  private checkedRevision = '0'

  constructor(keys: Keys) {
    this.keys = keys
  }

  /** Bundled, it starts three times as fast. */
  async build(): Promise<void> {
    await bundle(
      {
        'api-server': join(import.meta.dirname, 'processes/api-server.ts'),
        'sqlite-worker': join(import.meta.dirname, '../../src/store/sqlite-worker.ts'),
      },
      this.program,
    )
    writeFileSync(join(this.program, 'package.json'), '{"type":"module"}')
  }

  async start(): Promise<ChildProcess> {
    const { authority, serving, tokenKey } = this.keys
    const file = join(this.directory, 'options.json')
    writeFileSync(
      file,
      JSON.stringify({
        database: join(this.directory, 'store.db'),
        port: this.port,
        authority,
        serving,
        tokenKey,
      } satisfies ApiProcessOptions),
    )
    const child = spawn(process.execPath, [join(this.program, 'api-server.js'), file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(this.program, 'cache') },
    })
    this.running = child
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    this.port = Number(String(line).split(' ')[1])
    return child
  }

  connect(): HttpClient {
    const { authority, admin } = this.keys
    const access = {
      context: '',
      server: `https://127.0.0.1:${this.port}`,
      namespace: 'default',
      authority,
      certificate: admin.certificate,
      key: admin.key,
      skipVerification: false,
    }
    return new HttpClient({ access, userAgent: 'durability', clock: machineClock })
  }

  /** Writes until the server is gone. */
  async write(client: HttpClient, writer: number, round: number): Promise<void> {
    for (let number = 0; ; number++) {
      const name = `w${writer}-${number % 3}`
      const serial = `${round}.${number}`
      const step: Step = {
        type: !this.existing.has(name) ? 'ADDED' : number % 7 === 6 ? 'DELETED' : 'MODIFIED',
        serial,
        acknowledged: false,
      }
      this.steps.set(name, [...(this.steps.get(name) ?? []), step])
      try {
        const object = await this.act(client, name, step)
        if (object !== undefined) step.revision = Number(object.metadata.resourceVersion)
      } catch (error) {
        // The server is gone, or went away in the middle of its answer.
        if (!(error instanceof ApiError) || error.status.code === 503) return
        throw error
      }
      step.acknowledged = true
      this.acknowledgedWrites++
      if (step.type === 'DELETED') this.existing.delete(name)
      else this.existing.add(name)
    }
  }

  private async act(client: HttpClient, name: string, { type, serial }: Step): Promise<ConfigMap | undefined> {
    const data = { serial, filler: 'x'.repeat((Number(serial.split('.')[1]) * 37) % 5000), end: serial }
    if (type === 'ADDED')
      return client.create(configMaps, { metadata: { name, namespace: 'default', labels }, data } as never)
    if (type === 'MODIFIED')
      return client.patch(configMaps, { name, namespace: 'default' }, { type: 'merge', value: { data } })
    await client.delete(configMaps, { name, namespace: 'default' })
    return undefined
  }

  async check(client: HttpClient): Promise<void> {
    const selection = { namespace: 'default', labelSelector: 'test=durability' }
    const list = await client.list(configMaps, selection)
    const end = Number(list.metadata.resourceVersion)
    if (this.checkedRevision !== '0') {
      const told = await this.watchUntil(client, end)
      for (const [name, steps] of this.steps) this.hold(name, steps, told.get(name) ?? [])
      for (const name of told.keys()) assert(this.steps.has(name), `${name} changed, and nobody wrote it`)
    }
    for (const object of list.items) assert.equal(object.data!['end'], object.data!['serial'], 'a value is whole')
    assert.deepEqual(list.items.map(object => object.metadata.name).sort(), [...this.existing].sort())
    this.checkedRevision = String(end)
    this.steps = new Map()
  }

  private async watchUntil(client: HttpClient, end: number): Promise<Map<string, Step[]>> {
    const told = new Map<string, Step[]>()
    const stop = new AbortController()
    let last = Number(this.checkedRevision)
    if (last < end) {
      // A last write, so that it is known when everything before it was told.
      const marker = await client.create(configMaps, {
        metadata: { generateName: 'marker-', namespace: 'default', labels },
      } as never)
      for await (const event of client.watch(configMaps, {
        namespace: 'default',
        labelSelector: 'test=durability',
        resourceVersion: this.checkedRevision,
        signal: stop.signal,
      })) {
        if (event.type === 'BOOKMARK') continue
        const { name, resourceVersion } = event.object.metadata
        if (name === marker.metadata.name) break
        assert(Number(resourceVersion) > last, 'revisions only grow')
        last = Number(resourceVersion)
        if (name!.startsWith('marker-')) continue
        const step: Step = {
          type: event.type as Step['type'],
          serial: event.object.data!['serial']!,
          revision: last,
          acknowledged: true,
        }
        told.set(name, [...(told.get(name) ?? []), step])
      }
      stop.abort()
      await client.delete(configMaps, { name: marker.metadata.name, namespace: 'default' })
    }
    return told
  }

  /** Exactly the acknowledged steps were told, and perhaps the one whose answer never came. */
  private hold(name: string, steps: readonly Step[], told: readonly Step[]): void {
    const shown = ({ type, serial }: Step): string => (type === 'DELETED' ? type : `${type} ${serial}`)
    assert.deepEqual(told.slice(0, steps.length).map(shown), steps.slice(0, told.length).map(shown), name)
    assert(told.length <= steps.length, name)
    for (const [index, step] of steps.entries()) {
      const found = told[index]
      if (step.acknowledged) assert(found !== undefined, `${name}: acknowledged ${shown(step)}`)
      if (step.revision !== undefined) assert.equal(found?.revision, step.revision)
    }
    const last = told.at(-1)
    if (last?.type === 'DELETED') this.existing.delete(name)
    else if (last !== undefined) this.existing.add(name)
  }

  /** Also after a failure. */
  end(): void {
    this.running?.kill('SIGKILL')
    rmSync(this.directory, { recursive: true })
  }
}

test(
  `the API server loses nothing in ${kills} kills, and watches go on, seed ${seed}`,
  { timeout: 600_000 },
  async () => {
    const run = new Run(await makeKeys())
    onTestFinished(() => run.end())
    await run.build()
    for (let round = 0; round < kills; round++) {
      const child = await run.start()
      const client = run.connect()
      await run.check(client)
      const gone = once(child, 'close')
      const writing = Promise.all(
        Array.from({ length: writers }, (_unused, writer) => run.write(client, writer, round)),
      )
      await sleep(20 + run.random() * 300)
      child.kill('SIGKILL')
      await Promise.all([gone, writing])
      client.close()
    }
    const child = await run.start()
    const client = run.connect()
    await run.check(client)
    client.close()
    child.kill('SIGKILL')
    await once(child, 'close')
    console.log(`seed ${seed}: ${kills} kills, ${run.acknowledgedWrites} acknowledged writes`)
    expect(run.acknowledgedWrites).toBeGreaterThan(kills * 3)
  },
)
