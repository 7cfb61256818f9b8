import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { componentsOf, installedPackages, packagePrograms } from './installed-packages.ts'

let directory = ''
const files: string[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-installed-'))
  files.length = 0
})
afterEach(() => rmSync(directory, { recursive: true }))

function put(path: string, content: object | string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content))
  files.push(path)
}

test('each package is a component once, with its licence however that is written', async () => {
  put('node_modules/a/package.json', { name: 'a', version: '1.0.0', license: 'MIT' })
  put('node_modules/a/node_modules/b/package.json', { name: 'b', version: '2.0.0', license: { type: 'ISC' } })
  put('node_modules/c/node_modules/b/package.json', { name: 'b', version: '2.0.0' })
  put('node_modules/@acme/lib/package.json', {
    name: '@acme/lib',
    version: '1.0.0-rc.1+x',
    licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }],
  })
  put('node_modules/.pnpm/d@1.0.0/node_modules/d/package.json', { name: 'd', version: '1.0.0' })
  put('node_modules/a/esm/package.json', { type: 'module' })
  put('node_modules/a/test/fixtures/package.json', { name: 'fixture', version: '9.9.9' })
  put('node_modules/broken/package.json', '{')
  expect(componentsOf(await installedPackages(directory, files))).toEqual([
    {
      name: '@acme/lib',
      version: '1.0.0-rc.1+x',
      purl: 'pkg:npm/%40acme/lib@1.0.0-rc.1%2Bx',
      license: '(MIT OR Apache-2.0)',
    },
    { name: 'a', version: '1.0.0', purl: 'pkg:npm/a@1.0.0', license: 'MIT' },
    expect.objectContaining({ name: 'b', version: '2.0.0', purl: 'pkg:npm/b@2.0.0' }) as object,
    { name: 'd', version: '1.0.0', purl: 'pkg:npm/d@1.0.0' },
  ])
})

describe('programs of packages', () => {
  const programs = (path: string, ...packages: string[]): Promise<object> => packagePrograms(directory, packages, path)

  test('are found in the service’s own folder before that of the workspace, whatever runs them', async () => {
    put('node_modules/next/package.json', { name: 'next', bin: { next: './dist/next' } })
    put('node_modules/next/dist/next', '#!/usr/bin/env node\n')
    put('packages/web/node_modules/next/package.json', { name: 'next', bin: { next: 'cli.js' } })
    put('packages/web/node_modules/next/cli.js', '')
    put('node_modules/@acme/tool/package.json', { name: '@acme/tool', bin: 'run.sh' })
    put('node_modules/@acme/tool/run.sh', '#!/bin/sh\n')
    put('node_modules/fast/package.json', { name: 'fast', bin: { fast: 'fast', gone: 'gone' } })
    put('node_modules/fast/fast', '\x7FELF')
    const all = ['node_modules/next', 'node_modules/@acme/tool', 'node_modules/fast', 'packages/web/node_modules/next']
    expect(await programs('packages/web', ...all)).toEqual({
      next: { path: 'node_modules/next/cli.js', by: 'node' },
      tool: { path: '../../node_modules/@acme/tool/run.sh', by: 'shell' },
      fast: { path: '../../node_modules/fast/fast', by: 'itself' },
    })
    expect(await programs('', ...all)).toMatchObject({ next: { path: 'node_modules/next/dist/next', by: 'node' } })
  })

  test('are found behind the links of pnpm', async () => {
    put('node_modules/.pnpm/next@15/node_modules/next/package.json', { name: 'next', bin: { next: 'cli.js' } })
    put('node_modules/.pnpm/next@15/node_modules/next/cli.js', '')
    symlinkSync('.pnpm/next@15/node_modules/next', join(directory, 'node_modules/next'))
    expect(await programs('', 'node_modules/next')).toEqual({ next: { path: 'node_modules/next/cli.js', by: 'node' } })
  })
})
