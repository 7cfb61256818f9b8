// A first manifest is written where there is none, and says where its guesses come from.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkCommand } from './check.ts'
import { initCommand } from './init.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-init-'))
afterAll(() => rmSync(root, { recursive: true }))

let folder = ''
let said = ''
beforeEach(() => {
  folder = mkdtempSync(join(root, 'f-'))
  said = ''
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    said += String(text)
    return true
  })
})
afterEach(() => void vi.restoreAllMocks())

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}
const written = (path = 'app.yml'): string => readFileSync(join(folder, path), 'utf8')

test('it is written, told, and without mistakes', () => {
  put('package.json', '{ "name": "shop", "dependencies": { "pg": "8" } }')
  put('src/main.js', "if (path === '/healthz') ok()\nserver.listen(3000)")
  put('src/main.test.js', 'server.listen(9999)')
  put('node_modules/other/index.js', 'server.listen(9998)')
  initCommand(folder, {})
  expect(written()).toBe(`# yaml-language-server: $schema=https://unpkg.com/sampan/schema/app.schema.json
name: shop
ports: { http: 3000 }
health: { http: /healthz }
postgres: true
environments:
  test: {}
  production: { replicas: 2 }
`)
  expect(said).toContain(`wrote ${join(folder, 'app.yml')}\n  name: shop\n    from package.json\n`)
  expect(said).toContain('  postgres: true\n    from pg in package.json\n')
  checkCommand([folder], {})
})

test('a manifest that is there stays', () => {
  put('app.yml', 'name: mine')
  expect(() => initCommand(folder, {})).toThrow(`there is ${join(folder, 'app.yml')} already, and it stays as it is`)
  expect(written()).toBe('name: mine')
})

test('a folder that is none is said to be none', () => {
  expect(() => initCommand(join(folder, 'nowhere'), {})).toThrow('expected a folder, found none')
})

test('the schema of an installed Sampan is taken', () => {
  put('node_modules/sampan/package.json', '{}')
  initCommand(folder, {})
  expect(written()).toContain('$schema=./node_modules/sampan/schema/app.schema.json\n')
})

test('the environments of the team are not named again, and the team is to know the service', () => {
  put('sampan.yml', 'services: { mail: }\nenvironments: { test: }')
  put('services/shop/package.json', '{ "name": "shop" }')
  initCommand(join(folder, 'services/shop'), {})
  expect(written('services/shop/app.yml')).not.toContain('environments')
  expect(said).toMatch(/note: add it to the services of .*sampan.yml: shop: .\/services\/shop\n/)
})

test('scripts get the guesses as data', () => {
  const printed: string[] = []
  vi.spyOn(console, 'log').mockImplementation((text: string) => void printed.push(text))
  put('package.json', '{ "name": "shop" }')
  initCommand(folder, { output: 'json' })
  expect(JSON.parse(printed.join())).toEqual({
    file: join(folder, 'app.yml'),
    guesses: [{ line: 'name: shop', because: 'package.json' }],
    notes: ['no port was found; if it listens on one, add: ports: { http: 3000 }'],
  })
})

test('a site is served where the images of sites are, whatever its tools listen on', () => {
  put('package.json', '{ "name": "pages", "scripts": { "build": "vite build", "dev": "vite" } }')
  put('vite.config.js', 'export default { server: { port: 5173 } }')
  put('index.html', '<h1>hello</h1>')
  initCommand(folder, {})
  expect(written().split('\n').slice(1, 4)).toEqual(['name: pages', 'ports: { http: 8080 }', 'health: { http: / }'])
  expect(said).toContain('from index.html beside a package.json with a build script: a static site')
  expect(said).not.toContain('note: no port')
})
