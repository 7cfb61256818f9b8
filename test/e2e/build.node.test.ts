// Services in Node.js and TypeScript from npm's registry to containers that answer: frameworks, native modules of three
// kinds, and workspaces of npm, pnpm and yarn with three services each. They are built where the registry can be
// reached, into the folder that the cluster's own registry has later.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Pod } from '../../src/api/generated/models.ts'
import { startRegistry } from '../../src/images/registry/registry.ts'
import {
  ClusterFixture,
  reasonToSkipCluster,
  repository,
  sampanProgram,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { makeNodeProjects } from './node-projects.ts'

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`Node.js${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let root = ''
  let services: Readonly<Record<string, string>> = {}
  const built: Record<string, Result> = {}
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'sampan-node-'))
    services = makeNodeProjects(root)
    // A folder that holds anything else is no place for a cluster.
    cluster = await ClusterFixture.up('node')
    succeeded(await cluster.down())
    const registry = await startRegistry({
      directory: join(cluster.dataDirectory, 'registry'),
      host: '127.0.0.1',
      port: 0,
    })
    try {
      for (const name of Object.keys(services)) built[name] = await build(name, `127.0.0.1:${registry.port}`)
    } finally {
      await registry.close()
    }
    succeeded(await cluster.up())
    await run(Object.keys(services))
  }, 600_000)
  afterAll(async () => {
    await cluster?.close()
    rmSync(root, { recursive: true, force: true })
  })

  /** Outside of the cluster's namespace. */
  async function build(name: string, registry: string, ...more: string[]): Promise<Result> {
    const args = ['build', services[name]!, '--registry', registry, '--tag', `node/${name}:1`, ...more]
    const child = spawn(sampanProgram, args, {
      cwd: repository,
      env: { ...process.env, XDG_CACHE_HOME: join(root, 'cache') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const code = new Promise<number | null>(resolve => {
      child.on('close', resolve)
    })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return succeeded({ out, err, code: await code })
  }

  /** All at once, as nobody in particular and with no rights. */
  async function run(names: readonly string[]): Promise<void> {
    const pods = names.map(name => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        securityContext: { runAsNonRoot: true },
        terminationGracePeriodSeconds: 10,
        containers: [
          {
            name: 'main',
            image: `sampan.local/node/${name}:1`,
            readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    }))
    succeeded(await cluster.kubectlWith({ apiVersion: 'v1', kind: 'List', items: pods }, 'apply'))
    const waiting = ['wait', 'pods', '--all', '--for=condition=Ready', '--timeout=120s']
    const ready = await cluster.run('kubectl', waiting, { timeoutMs: 150_000 })
    if (ready.code === 0) return
    const logs = await Promise.all(names.map(async name => `${name}: ${(await cluster.kubectl('logs', name)).out}`))
    throw new Error(`${ready.err}\n${await cluster.show('get', 'pods')}\n${logs.join('\n')}`)
  }

  async function answer(name: string, path = ''): Promise<string> {
    const { status } = await cluster.json<Pod>('get', 'pod', name)
    return cluster.curl(`http://${status.podIP}:8080/${path}`)
  }

  test.each([
    [
      'Express, with a module that was compiled and a package of the workspace that is built',
      'express',
      '1000 express 42',
    ],
    ['Fastify in TypeScript, with a prebuilt module', 'fastify', '1000 fastify true 2'],
    ['NestJS, compiled by its own tools', 'nest', '1000 nest'],
    ['a service of a pnpm workspace, which reaches what it names and nothing else', 'plain', '1000 plain 60 strict'],
    ['the command of Fastify, and sharp with the libraries that it brings', 'images', '1000 sharp 2'],
    ['a service of a yarn workspace that goes by Plug’n’Play', 'api', '1000 api 120'],
    ['a start script that takes a shell', 'shell', '1000 plain /home/node'],
    ['a service of classic yarn, for production alone', 'classic', '1000 classic 1000 production'],
  ])('%s', async (_what, name, expected) => {
    expect(await answer(name)).toBe(expected)
  })

  test('Next.js with what browsers get', async () => {
    expect(await answer('web')).toMatch(/<p>1000(?:<!-- -->)? next<\/p>/)
    expect(await answer('web', 'robots.txt')).toBe('User-agent: *')
  })

  test('pages that Vite makes', async () => {
    const script = /src="\/(assets\/[^"]+)"/.exec(await answer('pages'))?.[1]
    expect(await answer('pages', script)).toContain('vite')
  })

  test('only what is started is installed', async () => {
    const look = `const { readdirSync } = require('node:fs'); console.log(readdirSync('/app/node_modules').join(' '))`
    const there = await cluster.show('exec', 'express', '--', 'node', '-e', look)
    expect(there).toContain('express')
    expect(there).not.toMatch(/typescript|fastify|nestjs/)
  })

  test('all end when they are asked to', async () => {
    const start = performance.now()
    succeeded(await cluster.kubectl('delete', 'pods', '--all', '--timeout=60s'))
    expect(performance.now() - start).toBeLessThan(9_000)
  })

  test('members that are needed are built before, and an installation is told', () => {
    expect(built['express']!.err).toMatch(/npm ci, because there was no node_modules[\s\S]*npm run build in .*\/words/)
    expect(built['fastify']!.err).not.toContain('npm ci')
    expect(built['web']!.err).toMatch(/pnpm install, because there was no node_modules[\s\S]*pnpm run build/)
    expect(built['plain']!.err).toContain('pnpm 10.15.0')
    expect(built['images']!.err).not.toContain('pnpm 10.15.0')
  })

  test('the same sources make the same image with nothing kept', async () => {
    rmSync(join(root, 'cache'), { recursive: true })
    const registry = await startRegistry({ directory: join(root, 'registry'), host: '127.0.0.1', port: 0 })
    try {
      const digest = async (name: string): Promise<string> =>
        (JSON.parse((await build(name, `127.0.0.1:${registry.port}`, '-o', 'json')).out) as { digest: string }).digest
      for (const name of ['fastify', 'api']) {
        const first = await digest(name)
        rmSync(join(root, 'cache'), { recursive: true })
        expect(await digest(name)).toBe(first)
      }
    } finally {
      await registry.close()
    }
  }, 240_000)
})
