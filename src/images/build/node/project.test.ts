import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { BuildError } from '../build-error.ts'
import { defaultSettings, type BuildSettings } from '../settings.ts'
import type { Programs } from './installed-packages.ts'
import { applicationFilter, projectName, readProject, startOf } from './project.ts'
import type { StartCommand } from './start-command.ts'

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

const started = (programs: Programs = {}, settings: Partial<BuildSettings> = {}): StartCommand =>
  startOf(readProject(directory), { ...defaultSettings, ...settings }, programs)

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
    expect(started().command).toEqual(command)
  })

  test('is a program of a dependency', () => {
    put('package.json', { scripts: { start: 'NODE_ENV=staging fastify start -l info app.js' } })
    expect(started({ fastify: { path: 'node_modules/fastify-cli/cli.js', by: 'node' } })).toMatchObject({
      command: ['node_modules/fastify-cli/cli.js', 'start', '-l', 'info', 'app.js'],
      variables: { NODE_ENV: 'staging' },
    })
  })

  test('is named when it is a program that the image has not', () => {
    put('package.json', { scripts: { start: 'tsx src/main.ts' }, main: 'lib/server.js' })
    expect(() => started()).toThrow(
      /the start script "tsx src\/main.ts" of .* cannot run in an image: "tsx" is not in the image: .*; let it start "node src\/main.ts": Node.js runs TypeScript itself/,
    )
  })

  test('is not asked of the dependencies before they are installed', () => {
    put('package.json', { scripts: { start: 'tsx src/main.ts' } })
    expect(startOf(readProject(directory), defaultSettings, undefined).command).toEqual([
      'node_modules/.bin/tsx',
      'src/main.ts',
    ])
  })

  test('is what app.yml says, whatever the package.json says', () => {
    put('package.json', { scripts: { start: 'nest start', serve: 'node a.js' } })
    expect(started({}, { start: ['node', 'dist/main.js', '--port', '1'] }).command).toEqual([
      'dist/main.js',
      '--port',
      '1',
    ])
    expect(started({}, { start: ['npm', 'run', 'serve'] }).command).toEqual(['a.js'])
    expect(started({}, { start: ['/usr/bin/php', 'x'] })).toMatchObject({ program: '/usr/bin/php', command: ['x'] })
    expect(() => started({}, { start: ['nodemon'] })).toThrow(
      /^"nodemon" \(build.start\) of .* cannot run in an image: /,
    )
  })

  test.each([
    ['vite build', {}, /"vite build" makes a site of files.*"build: \{ with: static, output: dist \}"/],
    ['react-scripts build', {}, /output: build \}/],
    ['next build', { next: '15' }, /has no start script: give it one: "start": "next start"/],
    ['nest build', { '@nestjs/core': '11' }, /"start": "node dist\/main.js"/],
    ['vite build', { '@sveltejs/adapter-node': '5' }, /"start": "node build"/],
  ])('cannot be told from the build script %j alone (%j), and what to write is said', (build, dependencies, said) => {
    put('package.json', { scripts: { build }, dependencies })
    put('src/main.ts')
    expect(() => started()).toThrow(said)
  })

  test('cannot be guessed from nothing', () => {
    put('package.json', { name: 'empty' })
    expect(() => started()).toThrow(/cannot tell how the service in .* is started: give package.json a start script/)
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
    expect(projectName(directory)).toEqual({ name: 'team/web', version: '1.2.3' })
    expect(readProject(directory)).toMatchObject({
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
    ['.npmrc', false],
    ['packages/a/.npmrc', false],
    ['.yarnrc.yml', false],
    ['.yarn/cache/a.zip', false],
    ['.pnp.cjs', false],
    ['.next/cache/x', false],
    ['.next/server/x', true],
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
    ['!.npmrc', '.npmrc', false],
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
