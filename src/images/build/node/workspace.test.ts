import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { placeOf } from './workspace.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-workspace-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function put(path: string, content: object | string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
}

const classic = '# yarn lockfile v1\n\n\n'

describe('the members that a service needs', () => {
  beforeEach(() => {
    put('package.json', { workspaces: ['packages/*', 'tools/deep/**'] })
    put('packages/api/package.json', { name: 'api', dependencies: { web: '1', lib: '1', ms: '1' } })
    put('packages/web/package.json', { name: 'web', dependencies: { lib: '1' }, devDependencies: { other: '1' } })
    put('packages/lib/package.json', { name: 'lib', optionalDependencies: { tool: '1' } })
    put('packages/other/package.json', { name: 'other' })
    put('tools/deep/a/tool/package.json', { name: 'tool', dependencies: { lib: '1' } })
    put('packages/api/node_modules/x/package.json', { name: 'x' })
  })

  test('come before it, each after what it needs itself, whoever needs it', () => {
    put('yarn.lock', classic)
    expect(placeOf(join(root, 'packages/api'))).toMatchObject({
      root,
      path: 'packages/api',
      needed: ['tools/deep/a/tool', 'packages/lib', 'packages/web', 'packages/api'],
      members: ['packages/api', 'packages/lib', 'packages/other', 'packages/web', 'tools/deep/a/tool'],
    })
  })

  test('for its build alone are those of development, too, where it has one', () => {
    put('yarn.lock', classic)
    const web = join(root, 'packages/web')
    expect(placeOf(web)).toMatchObject({ building: ['tools/deep/a/tool', 'packages/lib', 'packages/web'] })
    put('packages/web/package.json', {
      name: 'web',
      scripts: { build: 'tsc' },
      dependencies: { lib: '1' },
      devDependencies: { other: '1' },
    })
    expect(placeOf(web)).toMatchObject({
      needed: ['tools/deep/a/tool', 'packages/lib', 'packages/web'],
      building: ['packages/other', 'tools/deep/a/tool', 'packages/lib', 'packages/web'],
    })
  })

  test('are found for a service that is the root itself', () => {
    put('package.json', { workspaces: { packages: ['packages/*'] }, dependencies: { web: '1' } })
    put('yarn.lock', classic)
    expect(placeOf(root).needed).toEqual(['packages/lib', 'packages/web', ''])
  })

  test('are none for a folder that the lock file does not name', () => {
    put('yarn.lock', classic)
    put('elsewhere/package.json', {})
    expect(placeOf(join(root, 'elsewhere'))).toMatchObject({ root: join(root, 'elsewhere'), needed: [''], members: [] })
  })

  test('are not looked for beyond a lock file of its own', () => {
    put('yarn.lock', classic)
    put('packages/api/yarn.lock', classic)
    expect(placeOf(join(root, 'packages/api'))).toMatchObject({ root: join(root, 'packages/api'), path: '' })
  })
})

describe('a lock file', () => {
  beforeEach(() => put('package.json', { name: 'web' }))

  test.each<[string, object, Record<string, string>, string, string]>([
    [
      'of npm, when nothing is said',
      {},
      { 'package-lock.json': '{}', 'yarn.lock': classic },
      'package-lock.json',
      'package-lock.json is taken, because package.json names no packageManager',
    ],
    [
      'of the packageManager',
      { packageManager: 'yarn@1.22.22+sha512.abc' },
      { 'package-lock.json': '{}', 'yarn.lock': classic },
      'yarn.lock',
      'yarn.lock is taken, because package.json names yarn',
    ],
    [
      'of the package manager among devEngines',
      { devEngines: { packageManager: { name: 'pnpm', version: '^10' } } },
      { 'package-lock.json': '{}', 'pnpm-lock.yaml': "lockfileVersion: '9.0'" },
      'pnpm-lock.yaml',
      'pnpm-lock.yaml is taken, because package.json names pnpm',
    ],
    [
      'of pnpm, where there is a file of pnpm alone',
      {},
      { 'package-lock.json': '{}', 'pnpm-lock.yaml': "lockfileVersion: '9.0'", 'pnpm-workspace.yaml': '' },
      'pnpm-lock.yaml',
      'pnpm-lock.yaml is taken, because there is pnpm-workspace.yaml',
    ],
  ])('%s is taken of several, and it is said why', (_which, json, files, file, said) => {
    put('package.json', json)
    for (const [name, text] of Object.entries(files)) put(name, text)
    const { lock } = placeOf(root)
    expect(lock?.file).toBe(file)
    expect(lock?.note).toContain(said)
    expect(lock?.note).toMatch(/^there are .* and .* in /)
  })

  test('npm-shrinkwrap.json comes before package-lock.json, as npm has it, and nothing is said', () => {
    put('package-lock.json', '{}')
    put('npm-shrinkwrap.json', '{}')
    expect(placeOf(root).lock).toMatchObject({ file: 'npm-shrinkwrap.json', note: undefined })
  })

  test('of another package manager than the one that is named is refused', () => {
    put('package.json', { packageManager: 'pnpm@10.15.0' })
    put('package-lock.json', '{}')
    expect(() => placeOf(root)).toThrow(
      `${root}/package.json names pnpm as its package manager, but beside it is package-lock.json of npm; make the lock file of pnpm with: pnpm install --lockfile-only`,
    )
  })

  test.each<[string, string, RegExp]>([
    [
      'package-lock.json',
      '{ no',
      /package-lock\.json cannot be read: .*; make it anew with: npm install --package-lock-only/,
    ],
    ['pnpm-lock.yaml', 'a: [', /pnpm-lock\.yaml cannot be read: .*; make it anew with: pnpm install --lockfile-only/],
    ['yarn.lock', 'nothing', /yarn\.lock cannot be read: it is no lock file of yarn; make it anew with: yarn install/],
    [
      'package-lock.json',
      '{\n<<<<<<< HEAD\n}\n=======\n>>>>>>> other\n',
      /package-lock\.json:2 has the marks of a merge that is not finished \(<<<<<<<\); finish it, and build again/,
    ],
  ])('%s that is damaged (%j) is named', (file, text, said) => {
    put(file, text)
    expect(() => placeOf(root)).toThrow(said)
  })

  test('that is damaged far above a service that it is not about is none of its business', () => {
    put('package-lock.json', '{ no')
    put('services/web/package.json', {})
    expect(placeOf(join(root, 'services/web')).lock).toBeUndefined()
  })
})

test('a package.json in the middle of a merge is named with the line', () => {
  put('package.json', '{\n  "name": "web",\n<<<<<<< HEAD\n}')
  expect(() => placeOf(root)).not.toThrow()
  put('yarn.lock', classic)
  expect(() => placeOf(root)).toThrow(/package\.json:3 has the marks of a merge/)
})

test('a dependency on a folder outside of the workspace is refused', () => {
  put('package.json', { workspaces: ['packages/*'] })
  put('packages/api/package.json', { dependencies: { lib: 'file:../../../lib' } })
  put('package-lock.json', {
    packages: { 'packages/api': {}, 'node_modules/lib': { link: true, resolved: '../lib' } },
  })
  expect(() => placeOf(join(root, 'packages/api'))).toThrow(
    /packages\/api\/package\.json needs "lib" out of the folder .*\/lib, which does not belong to .*; make both members of one workspace/,
  )
})
