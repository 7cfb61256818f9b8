import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { chooseBuilder } from './builders.ts'
import { defaultSettings, type BuildSettings } from './settings.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-choose-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function put(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
}

const choose = (settings: Partial<BuildSettings> = {}): [string, string] => {
  const { builder, because } = chooseBuilder(directory, { ...defaultSettings, ...settings })
  return [builder.title, because]
}

const server = JSON.stringify({ scripts: { start: 'node main.js', build: 'tsc' } })
const site = JSON.stringify({ scripts: { build: 'vite build', dev: 'vite' } })

describe('a builder is chosen by what is in the folder', () => {
  test.each<[string, Record<string, string>, string, string]>([
    ['a Dockerfile', { Dockerfile: '' }, 'a Dockerfile', 'Dockerfile'],
    ['a Containerfile', { Containerfile: '' }, 'a Dockerfile', 'Containerfile'],
    ['a package.json that starts', { 'package.json': server, 'index.html': '' }, 'Node.js', 'package.json'],
    [
      'a package.json that makes pages',
      { 'package.json': site, 'index.html': '', 'src/main.ts': '' },
      'a static site',
      'index.html beside a package.json with a build script',
    ],
    [
      'a generator of pages',
      {
        'package.json': JSON.stringify({
          scripts: { build: 'astro build', start: 'astro dev' },
          dependencies: { astro: '1' },
        }),
      },
      'a static site',
      'astro in package.json',
    ],
    [
      'a generator beside a server',
      {
        'package.json': JSON.stringify({
          scripts: { build: 'astro build', start: 'node server.js' },
          dependencies: { astro: '1' },
        }),
      },
      'Node.js',
      'package.json',
    ],
    ['pyproject.toml', { 'pyproject.toml': '' }, 'Python', 'pyproject.toml'],
    ['a Python file alone', { 'main.py': '' }, 'Python', 'main.py'],
    ['go.mod', { 'go.mod': 'module a' }, 'Go', 'go.mod'],
    ['Cargo.toml', { 'Cargo.toml': '' }, 'Rust', 'Cargo.toml'],
    ['Gradle', { 'build.gradle.kts': '' }, 'Java', 'build.gradle.kts'],
    ['one jar', { 'shop.jar': '' }, 'Java', 'shop.jar'],
    ['PHP', { 'public/index.php': '' }, 'PHP', 'public/index.php'],
    ['pages', { 'index.html': '' }, 'a static site', 'index.html'],
  ])('%s', (_name, files, title, because) => {
    put(files)
    const [chosen, said] = choose()
    expect([chosen, said.replace(/ \(for .*/, '')]).toEqual([title, because])
  })

  test('the first of several, and how to have the other', () => {
    put({ Dockerfile: '', 'go.mod': '' })
    expect(choose()).toEqual(['a Dockerfile', 'Dockerfile (for Go, because of go.mod, say build: go in app.yml)'])
  })

  test('a start command alone is enough, and a language that is there comes before it', () => {
    put({ 'index.html': '' })
    expect(choose({ start: ['./server'] })).toEqual([
      'a command',
      'build.start (for a static site, because of index.html, say build: static in app.yml)',
    ])
    put({ 'go.mod': '' })
    expect(choose({ start: ['./server'] })[0]).toBe('Go')
  })

  test('one that was asked for is taken, although another one comes before it', () => {
    put({ Dockerfile: '', 'go.mod': '', 'index.html': '' })
    expect(choose({ with: 'go' })).toEqual(['Go', 'build: go, and go.mod'])
    expect(choose({ with: 'static', output: 'dist' })).toEqual(['a static site', 'build.output'])
    expect(choose({ with: 'command', start: ['./x'] })).toEqual(['a command', 'build.start'])
    expect(choose({ with: 'java', run: ['./make.sh'] })).toEqual(['Java', 'build.run'])
    expect(choose({ with: 'java', output: 'out' })).toEqual(['Java', 'build.output'])
    expect(choose({ with: 'dockerfile' })[0]).toBe('a Dockerfile')
  })

  test('one that was asked for and lacks its file says which', () => {
    put({ 'go.mod': '' })
    expect(() => choose({ with: 'rust' })).toThrow(
      `build: rust was asked for, which needs Cargo.toml; ${directory} has none`,
    )
    expect(() => choose({ with: 'dockerfile', dockerfile: 'other' })).toThrow(/needs Dockerfile or Containerfile/)
  })

  test('where nothing fits, all that would fit is named', () => {
    expect(() => choose()).toThrow(`cannot tell how to make an image of ${directory}`)
    expect(() => choose()).toThrow(/build: node +Node.js: package.json\n/)
    expect(() => choose()).toThrow(/build: go +Go: go.mod\n/)
    expect(() => choose()).toThrow(/build: command +a command: nothing, it takes every folder/)
    expect(() => choose()).toThrow(
      /^(?![^]*build: static[^]*build: static )[^]*build: static +a static site: .* in app.yml; or index.html$/m,
    )
  })
})

test('knowing a folder, and that nothing changed in it, loads nothing that makes an image', () => {
  const script = `
    import { registerHooks } from 'node:module'
    const loaded = []
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
    await import(${JSON.stringify(import.meta.resolve('./builders.ts'))})
    await import(${JSON.stringify(import.meta.resolve('./build-image.ts'))})
    console.log(loaded.join('\\n'))`
  const loaded = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  expect(loaded).toContain('node-builder.ts')
  expect(loaded).not.toMatch(/\/(?:build-node|make-image|layer|pull-base|run-tool|registry-look)\.ts|tar-stream/)
})
