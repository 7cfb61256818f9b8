import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { applicationFilter, BuildError, readProject } from './project.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-project-'))
afterAll(() => rmSync(root, { recursive: true }))

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(root, 'p'))
})
function put(path: string, content: object | string = ''): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content))
}

describe('how a service is started', () => {
  test.each([
    ['its start script', { scripts: { start: 'node src/main.ts' } }, [], ['src/main.ts']],
    [
      'its start script with flags',
      { scripts: { start: 'node  --enable-source-maps src/main.ts --port 1' } },
      [],
      ['--enable-source-maps', 'src/main.ts', '--port', '1'],
    ],
    [
      'its main, when the start script runs something else',
      { scripts: { start: 'tsx src/main.ts' }, main: 'lib/server.js' },
      [],
      ['lib/server.js'],
    ],
    ['the usual file, when nothing is said', {}, ['index.js'], ['index.js']],
    ['TypeScript before JavaScript', {}, ['index.js', 'src/main.ts'], ['src/main.ts']],
  ])('is told by %s', (_what, json, files, command) => {
    put('package.json', json)
    for (const file of files) put(file)
    expect(readProject(directory).command).toEqual(command)
  })

  test('cannot be guessed from nothing', () => {
    put('package.json', { name: 'empty' })
    expect(() => readProject(directory)).toThrow(
      /cannot tell how the service in .* is started: give package.json a start script/,
    )
  })
})

describe('a project', () => {
  test('has a name without the @ of its scope, and a version', () => {
    put('package.json', {
      name: '@team/web',
      version: '1.2.3',
      main: 'a.js',
      dependencies: { x: '1' },
      scripts: { build: 'tsc' },
    })
    expect(readProject(directory)).toMatchObject({
      name: 'team/web',
      version: '1.2.3',
      hasDependencies: true,
      hasBuildScript: true,
    })
  })

  test('without a package.json is none', () => {
    expect(() => readProject(directory)).toThrow(BuildError)
    expect(() => readProject(directory)).toThrow(/expected a package.json in /)
  })

  test('with a damaged package.json says where', () => {
    put('package.json', '{ no json')
    expect(() => readProject(directory)).toThrow(/package\.json cannot be read: /)
  })
})

describe('which files go into the image', () => {
  test.each([
    ['src/main.ts', true],
    ['node_modules', false],
    ['packages/a/node_modules', false],
    ['.git', false],
    ['src/main.test.ts', false],
    ['src/testing.ts', true],
  ])('without a .dockerignore: %s is %s', (path, included) => {
    put('package.json', {})
    expect(applicationFilter(directory)(path)).toBe(included)
  })

  test.each([
    ['secrets', 'secrets', false],
    ['secrets', 'secrets/key', false],
    ['/secrets/', 'secrets/key', false],
    ['./secrets', 'secrets', false],
    ['secrets', 'src/secrets', true],
    ['**/secrets', 'src/deep/secrets', false],
    ['**/secrets', 'secrets', false],
    ['*.log', 'a.log', false],
    ['*.log', 'src/a.log', true],
    ['**/*.log', 'src/a.log', false],
    ['config.*', 'config.json', false],
    ['config.*', 'config', true],
    ['data?', 'data1', false],
    ['data?', 'data', true],
    ['docs/**', 'docs/a/b.md', false],
    ['a+b(c)', 'a+b(c)', false],
    ['# secrets', 'secrets', true],
    ['*.md\n!README.md', 'README.md', true],
    ['*.md\n!README.md', 'other.md', false],
    ['!README.md\n*.md', 'README.md', false],
  ])('with %j in .dockerignore: %s is %s', (lines, path, included) => {
    put('.dockerignore', lines)
    expect(applicationFilter(directory)(path)).toBe(included)
  })
})
