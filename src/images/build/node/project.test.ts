import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { BuildError } from '../build-error.ts'
import { applicationFilter, readProject } from './project.ts'

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
      'its main, when there is no start script',
      { scripts: { dev: 'tsx' }, main: 'lib/server.js' },
      [],
      ['lib/server.js'],
    ],
    ['a script that the start script runs', { scripts: { start: 'npm run serve', serve: 'node a.js' } }, [], ['a.js']],
    ['a file with a first line for Node.js', { scripts: { start: './bin/www' } }, ['bin/www'], ['./bin/www']],
    ['the usual file, when nothing is said', {}, ['index.js'], ['index.js']],
    ['TypeScript before JavaScript', {}, ['index.js', 'src/main.ts'], ['src/main.ts']],
  ])('is told by %s', (_what, json, files, command) => {
    put('package.json', json)
    for (const file of files) put(file, '#!/usr/bin/env node\n')
    expect(readProject(directory).command).toEqual(command)
  })

  test('is a program of a dependency, as npm finds it', () => {
    put('package.json', { scripts: { start: 'NODE_ENV=staging fastify start -l info app.js' } })
    put('package-lock.json', {
      packages: {
        'node_modules/fastify-cli': { bin: { fastify: 'cli.js' } },
        'node_modules/tsx': { bin: { tsx: 'cli.js' }, dev: true },
      },
    })
    expect(readProject(directory)).toMatchObject({
      command: ['node_modules/.bin/fastify', 'start', '-l', 'info', 'app.js'],
      variables: { NODE_ENV: 'staging' },
    })
  })

  test('is named when it is a program that the image has not', () => {
    put('package.json', { scripts: { start: 'tsx src/main.ts' }, main: 'lib/server.js' })
    put('package-lock.json', { packages: { 'node_modules/tsx': { bin: { tsx: 'cli.js' }, dev: true } } })
    expect(() => readProject(directory)).toThrow(
      /the start script "tsx src\/main.ts" of .* cannot run in an image: "tsx" is not in the image: .*; let it start one program/,
    )
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
      packageName: '@team/web',
      hasDependencies: true,
      built: [directory],
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
    expect(applicationFilter(directory).includes(path)).toBe(included)
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
    ['docs\n!docs/README.md', 'docs/README.md', true],
    ['docs\n!docs/README.md', 'docs/other.md', false],
    ['docs\n!docs/**/*.md', 'docs/a/b.md', true],
    ['*\n!src', 'src/deep/main.ts', true],
    ['*\n!src', 'main.ts', false],
    ['*\n!src', 'package.json', true],
    ['**/*.md\n!**/keep.md', 'a/b/keep.md', true],
    ['**/secrets', 'src/deep/secrets/key', false],
    ['! src/a.test.ts', 'src/a.test.ts', true],
    ['!node_modules', 'node_modules', false],
    ['src/../secrets//', 'secrets/key', false],
    ['data[0-9]', 'data7', false],
    ['data[0-9]', 'datax', true],
    ['data[^0-9]', 'datax', false],
    ['a\\*b', 'a*b', false],
    ['a\\*b', 'axb', true],
    ['a.b', 'axb', true],
    ['a**b', 'a/x/b', false],
    [' # secrets', '# secrets', false],
    ['\uFEFFsecrets', 'secrets', false],
    ['secrets\r\nother', 'secrets', false],
  ])('with %j in .dockerignore: %s is %s', (lines, path, included) => {
    put('.dockerignore', lines)
    expect(applicationFilter(directory).includes(path)).toBe(included)
  })
})
