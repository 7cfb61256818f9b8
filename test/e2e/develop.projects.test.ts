// `sampan dev` on whatever people write services in: workspaces of pnpm and yarn, sites that a build makes, the standalone
// output of Next.js, Python, Go, a Dockerfile, and a service with its database; and several terminals at once.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  ClusterFixture,
  reasonToSkipCluster,
  repository,
  sampanProgram,
  succeeded,
  warmLayers,
} from '../../src/testing/cluster-fixture.ts'
import { startPostgres, type PostgresServer } from '../../src/testing/service-servers.ts'
import { DevLoop } from './dev-loop.ts'
import { lockProject } from './node-projects.ts'

const reason = reasonToSkipCluster()

const listening = (port: number, text: string): string =>
  `require('http').createServer((_request, response) => response.end(String(${text}))).listen(${port})`
const appOf = (name: string, port: number, more = ''): string =>
  `name: ${name}\nports: { http: ${port} }\nhealth: { http: / }\n${more}`

const library = (version: string): object => ({
  name: '@yard/lib',
  version: '1.0.0',
  main: 'index.js',
  dependencies: { ms: version },
})
const libraryCode = (word: string): string => `exports.text = '${word} ' + require('ms/package.json').version`
const serviceOf = (name: string): object => ({
  name,
  version: '1.0.0',
  scripts: { start: 'node main.js' },
  dependencies: { '@yard/lib': 'workspace:*' },
})

describe.skipIf(reason !== undefined)(
  `sampan dev on many projects${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let cluster: ClusterFixture
    let root = ''
    const loops: DevLoop[] = []
    beforeAll(async () => {
      root = mkdtempSync(join(tmpdir(), 'sampan-projects-'))
      workspace('pnpm', 4101)
      workspace('yarn', 4102)
      await warmLayers(join(root, 'yarn/pages'), join(repository, 'examples/shop/orders'))
      for (const version of ['2.1.2', '2.1.3']) {
        for (const manager of ['pnpm', 'yarn'] as const) {
          put(`${manager}/lib/package.json`, library(version))
          lockProject(join(root, manager), manager)
          const lock = readFileSync(join(root, manager, lockFiles[manager]), 'utf8')
          put(`locks/${version}/${lockFiles[manager]}`, lock)
        }
        await warmLayers(join(root, 'pnpm/api'), join(root, 'yarn/api'))
      }
      cluster = await ClusterFixture.up('projects')
    }, 300_000)
    afterEach(async () => {
      for (const loop of loops.splice(0)) await loop.stop()
    })
    afterAll(async () => {
      await cluster?.close()
      rmSync(root, { recursive: true, force: true })
    })

    const lockFiles = { pnpm: 'pnpm-lock.yaml', yarn: 'yarn.lock' }

    function put(path: string, content: string | object): void {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
    }
    function edit(path: string, from: string, to: string): void {
      const text = readFileSync(join(root, path), 'utf8')
      expect(text).toContain(from)
      put(path, text.replace(from, to))
    }
    function dev(path: string, environment = 'test', variables: NodeJS.ProcessEnv = {}): DevLoop {
      const loop = new DevLoop(cluster, join(root, path), ['-e', environment], variables)
      loops.push(loop)
      return loop
    }

    function workspace(manager: 'pnpm' | 'yarn', port: number): void {
      put(`${manager}/package.json`, {
        name: 'yard',
        private: true,
        workspaces: ['lib', 'words', 'api', 'pages'],
        packageManager: manager === 'pnpm' ? 'pnpm@10.15.0' : 'yarn@4.9.2',
      })
      if (manager === 'pnpm') put('pnpm/pnpm-workspace.yaml', 'packages: [lib, api]\n')
      else put('yarn/yarn.lock', '')
      put(`${manager}/lib/package.json`, library('2.1.3'))
      put(`${manager}/lib/index.js`, libraryCode('one'))
      put(`${manager}/api/package.json`, serviceOf('api'))
      put(`${manager}/api/main.js`, listening(port, `require('@yard/lib').text`))
      put(`${manager}/api/app.yml`, appOf(manager, port))
      if (manager === 'pnpm') return lockProject(join(root, manager), manager)
      put('yarn/words/package.json', { name: '@yard/words', version: '1.0.0', type: 'module', exports: './index.js' })
      put('yarn/words/index.js', `export const word = 'lantern'`)
      put('yarn/pages/package.json', {
        name: 'pages',
        version: '1.0.0',
        type: 'module',
        scripts: { build: 'vite build' },
        devDependencies: { vite: '7.1.7', '@yard/words': 'workspace:*' },
      })
      put('yarn/pages/index.html', '<!doctype html><div id="app"></div><script type="module" src="/main.ts"></script>')
      put(
        'yarn/pages/main.ts',
        `import { word } from '@yard/words'\ndocument.querySelector('#app')!.textContent = 'whispers ' + word`,
      )
      put('yarn/pages/app.yml', appOf('pages', 8080))
      lockProject(join(root, manager), manager)
    }

    test.each([
      ['pnpm', 4101],
      ['yarn', 4102],
    ] as const)(
      'a workspace of %s: a package that the service needs, and the lock file',
      async (manager, port) => {
        const loop = dev(`${manager}/api`)
        await loop.answers(port, 'one 2.1.3')
        put(`${manager}/lib/index.js`, libraryCode('two'))
        await loop.answers(port, 'two 2.1.3')
        expect(loop.output).toContain('/app/lib/index.js in ')
        put(`${manager}/lib/package.json`, library('2.1.2'))
        cpSync(join(root, 'locks/2.1.2', lockFiles[manager]), join(root, manager, lockFiles[manager]))
        await loop.answers(port, 'two 2.1.2')
        put(`${manager}/lib/index.js`, libraryCode('three'))
        await loop.answers(port, 'three 2.1.2')
      },
      120_000,
    )

    test('a site that Vite makes, of a package among its development dependencies, too', async () => {
      const loop = dev('yarn/pages')
      const shows = (...words: string[]): Promise<void> =>
        loop.until(words.join(' '), async () => {
          const script = /src="\/(assets\/[^"]+)"/.exec(await loop.get(8080))?.[1]
          if (script === undefined) return false
          const text = await loop.get(8080, script)
          return words.every(word => text.includes(word))
        })
      await shows('whispers', 'lantern')
      await loop.said('delivered')
      edit('yarn/words/index.js', 'lantern', 'harbour')
      await shows('whispers', 'harbour')
      edit('yarn/pages/main.ts', 'whispers', 'shouts')
      await shows('shouts', 'harbour')
      // Nothing but the pages went there.
      expect(loop.output).toContain('files in ')
      expect(loop.output.split('delivered')).toHaveLength(2)
    }, 120_000)

    test('the standalone output of Next.js', async () => {
      put('web/package.json', {
        name: 'web',
        version: '1.0.0',
        scripts: { build: 'node make.js', start: 'next start -p 4104' },
      })
      // What `next build` leaves, in small.
      put(
        'web/make.js',
        `const { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs')
         rmSync('.next', { recursive: true, force: true })
         const word = readFileSync('page.txt', 'utf8')
         for (const folder of ['.next', '.next/standalone/.next', '.next/standalone/node_modules/words', '.next/static']) mkdirSync(folder, { recursive: true })
         for (const folder of ['.next', '.next/standalone/.next']) writeFileSync(folder + '/BUILD_ID', word)
         writeFileSync('.next/standalone/node_modules/words/index.js', 'module.exports = ' + JSON.stringify(word))
         writeFileSync('.next/static/page.js', word)
         writeFileSync('.next/standalone/server.js', "const { readFileSync } = require('fs'); " + ${JSON.stringify(
           listening(4104, `require('words') + readFileSync('.next/static/page.js') + ' WORD'`),
         )}.replace('WORD', word))`,
      )
      put('web/page.txt', 'a')
      put('web/app.yml', appOf('web', 4104))
      const loop = dev('web')
      await loop.answers(4104, 'aa a')
      edit('web/page.txt', 'a', 'b')
      await loop.answers(4104, 'bb b')
      expect(loop.output.split('delivered')).toHaveLength(2)
    }, 120_000)

    test('Python starts again; Go and a Dockerfile make another image', async () => {
      put(
        'mixed/sampan.yml',
        'environments: { test: {} }\nservices: { python: { path: python }, go: { path: go }, docker: { path: docker } }\n',
      )
      put(
        'mixed/python/main.py',
        `from http.server import BaseHTTPRequestHandler, HTTPServer
from word import WORD
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(WORD.encode())
HTTPServer(('', 4201), Handler).serve_forever()
`,
      )
      put('mixed/python/word.py', "WORD = 'one'")
      put('mixed/python/app.yml', appOf('python', 4201, 'build: { with: python, start: python3 main.py }\n'))
      put('mixed/go/go.mod', 'module example.com/go\n\ngo 1.19\n')
      put(
        'mixed/go/main.go',
        `package main
import ("fmt"; "net/http")
func main() {
  http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "one") })
  http.ListenAndServe(":4202", nil)
}
`,
      )
      put('mixed/go/app.yml', appOf('go', 4202))
      cpSync('/bin/busybox', join(root, 'mixed/docker/busybox'))
      put(
        'mixed/docker/Dockerfile',
        'FROM scratch\nCOPY busybox /bin/busybox\nCOPY index.html /srv/index.html\nUSER 1000\nENTRYPOINT ["/bin/busybox", "httpd", "-f", "-p", "4203", "-h", "/srv"]\n',
      )
      put('mixed/docker/index.html', 'one')
      put('mixed/docker/app.yml', appOf('docker', 4203))
      const loop = dev('mixed')
      for (const port of [4201, 4202, 4203]) await loop.answers(port, 'one')
      edit('mixed/python/word.py', 'one', 'two')
      await loop.answers(4201, 'two')
      expect(loop.output).toMatch(/python \/app\/word\.py in |✓ python \/app\/word\.py in /)
      edit('mixed/go/main.go', 'one', 'two')
      await loop.answers(4202, 'two')
      edit('mixed/docker/index.html', 'one', 'two')
      await loop.answers(4203, 'two')
    }, 180_000)

    test('two terminals, and two environments, whose ports are the same', async () => {
      for (const name of ['left', 'right']) {
        put(`${name}/package.json`, { name, version: '1.0.0', scripts: { start: 'node main.js' } })
        put(`${name}/main.js`, listening(4301, `'${name} ' + process.env.MODE + ' one'`))
        put(
          `${name}/app.yml`,
          `${appOf(name, 4301)}env: { MODE: test }\nenvironments: { test: {}, next: { env: { MODE: next } } }\n`,
        )
      }
      const left = dev('left')
      await left.answers(4301, 'left test one')
      const right = dev('right')
      const next = dev('left', 'next')
      await right.answers(await right.port(4301), 'right test one')
      await next.answers(await next.port(4301), 'left next one')
      for (const other of [right, next]) expect(other.output).toContain(', because 4301 is taken on this machine')
      edit('left/main.js', ' one', ' two')
      edit('right/main.js', ' one', ' three')
      await left.answers(4301, 'left test two')
      await next.answers(await next.port(4301), 'left next two')
      await right.answers(await right.port(4301), 'right test three')
      await left.stop()
      expect(await right.get(await right.port(4301))).toBe('right test three')
      expect(await next.get(await next.port(4301))).toBe('left next two')
      await next.stop()
      expect(next.output).toContain('left is gone from next as before')
    }, 120_000)

    describe('a service with a database', () => {
      let postgres: PostgresServer
      let environment: NodeJS.ProcessEnv = {}
      beforeAll(async () => {
        postgres = await startPostgres({ namespace: cluster.namespace })
        const identity = join(root, 'identity')
        const keygen = succeeded(await cluster.sampan('secret', 'keygen', '--file', identity))
        environment = { SAMPAN_AGE_KEY_FILE: identity }
        const host = await cluster.show('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}')
        put(
          'shop/sampan.yml',
          `people: { ci: ${/age1\w+/.exec(keygen.out + keygen.err)![0]} }
environments:
  test:
    readers: [ci]
    servers: { postgres: { host: ${host}, port: ${postgres.port}, user: ${postgres.administrator.user}, password: PG_ADMIN } }
services: { orders: { path: orders } }
`,
        )
        cpSync(join(repository, 'examples/shop/orders'), join(root, 'shop/orders'), { recursive: true })
        const args = ['secret', 'set', '-e', 'test', 'PG_ADMIN']
        const input = postgres.administrator.password
        succeeded(await cluster.run(sampanProgram, args, { directory: join(root, 'shop'), environment, input }))
      })
      afterAll(() => postgres?.close())

      const orderOf = (article: string): string[] => ['--data', JSON.stringify({ article })]

      test('keeps its data when the session ends, and gets a migration that is written meanwhile', async () => {
        const first = dev('shop', 'test', environment)
        await first.until('an order', async () => (await first.get(3000, 'orders', ...orderOf('pen'))) === '{"id":1}')
        await first.stop()
        expect(first.output).toContain('orders is gone from test as before')
        const second = dev('shop', 'test', environment)
        await second.until('the order', async () => (await second.get(3000, 'orders')).includes('"pen"'))
        await second.said('delivered')
        edit(
          'shop/orders/src/changes.ts',
          '\n]',
          `\n  { up: 'alter table orders add column note text', down: 'alter table orders drop column note' },\n]`,
        )
        edit('shop/orders/src/main.ts', 'select id, article, at', 'select id, article, at, note')
        await second.until('a column that is missing', async () =>
          (await second.get(3000, 'orders')).includes('the database does not answer'),
        )
        edit('shop/orders/app.yml', 'stopSeconds: 10', 'stopSeconds: 9')
        await second.until('the column', async () => (await second.get(3000, 'orders')).includes('"note":null'))
      }, 120_000)
    })
  },
)
