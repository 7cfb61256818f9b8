// Native modules as they lie in installed packages: real ones of this repository's own tools, and files with the
// first bytes of others.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { thisMachine } from '../layers/native-libraries.ts'
import { installedPackages } from './installed-packages.ts'
import { nativeModules, type NativeContext, type NativeResult } from './native-modules.ts'

const require = createRequire(import.meta.url)
const tool = dirname(require.resolve(`@oxc-parser/binding-linux-${process.arch}-gnu/package.json`))
const working = join(tool, `parser.linux-${process.arch}-gnu.node`)
/** Loaded by the dynamic linker, and no module of Node.js. */
const library = ['/lib/x86_64-linux-gnu/libz.so.1', '/lib/aarch64-linux-gnu/libz.so.1'].find(isThere)!

function isThere(file: string): boolean {
  try {
    return readFileSync(file).length > 0
  } catch {
    return false
  }
}

let directory = ''
const files: string[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-native-'))
  files.length = 0
})
afterEach(() => rmSync(directory, { recursive: true }))

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), content)
  files.push(path)
}

/** A package with modules in it. */
function installed(name: string, modules: Record<string, string | Buffer>, json: object = {}): void {
  put(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', ...json }))
  for (const [path, content] of Object.entries(modules)) put(`node_modules/${name}/${path}`, content)
}

/** As much of a program for another processor as is looked at. */
function elf(machine: number): Buffer {
  const bytes = Buffer.alloc(64)
  bytes.write('\x7FELF\x02\x01\x01', 'latin1')
  bytes.writeUInt16LE(machine, 18)
  return bytes
}

const check = async (more: Partial<NativeContext> = {}): Promise<NativeResult> =>
  nativeModules(directory, files, await installedPackages(directory, files), {
    nodeBinary: process.execPath,
    runtime: { version: process.versions.node, system: thisMachine },
    lacks: () => false,
    needed: ['native'],
    ...more,
  })

describe('a native module', () => {
  test('that is loaded is in order, whatever lies beside it for others', async () => {
    installed('native', { 'darwin.node': '\xCF\xFA\xED\xFE', 'win.node': 'MZ', 'arm.node': elf(40) })
    copyFileSync(working, join(directory, 'node_modules/native/linux.node'))
    files.push('node_modules/native/linux.node')
    expect(await check()).toEqual({ entries: [], notes: [] })
  })

  test.each<[string, string | Buffer, RegExp]>([
    ['another processor', elf(process.arch === 'arm64' ? 62 : 183), /native 1\.0\.0 is made for linux\/\w+, not for/],
    ['another system', Buffer.from('\xCF\xFA\xED\xFE', 'latin1'), /is made for macOS, not for linux\/\w+ with glibc/],
    ['Windows', 'MZ', /is made for Windows, not for/],
    [
      'Node.js not at all',
      readFileSync(library),
      /native 1\.0\.0 cannot be loaded by Node\.js .*: Module did not self/,
    ],
  ])('for %s is named', async (_what, content, said) => {
    installed('native', { 'addon.node': content })
    await expect(check()).rejects.toThrow(said)
  })

  test('for another C library than that of the image is named', async () => {
    installed('native', { 'addon.node': readFileSync(working) })
    await expect(check({ runtime: { version: '24.0.0', system: 'linux/x64 with musl' } })).rejects.toThrow(
      `native 1.0.0 is made for ${thisMachine}, not for linux/x64 with musl`,
    )
  })

  test('with the interface of one version of Node.js is named where the image has another', async () => {
    installed('native', { 'addon.node': readFileSync(library) })
    installed('portable', { 'addon.node': readFileSync(working) })
    await expect(
      check({ needed: ['native', 'portable'], runtime: { version: '18.20.0', system: thisMachine } }),
    ).rejects.toThrow(
      `native 1.0.0 cannot be loaded by Node.js 18.20.0: it was installed by Node.js ${process.versions.node} of this machine`,
    )
  })

  test('that was never compiled is named with what allows it', async () => {
    installed('native', { 'binding.gyp': '{}' }, { scripts: { install: 'node-gyp rebuild' } })
    await expect(check()).rejects.toThrow(/native 1\.0\.0 was not compiled .*"allowScripts" .* "onlyBuiltDependencies"/)
  })

  test('that ends the process is named, and the others are tried all the same', async () => {
    installed('native', { 'addon.node': readFileSync(working) })
    installed('other', { 'addon.node': readFileSync(working) })
    const fake = join(directory, 'node')
    const script = `for (const file of process.argv.slice(4)) {
      if (file.includes('/native/')) process.abort()
      console.log('done ' + JSON.stringify([file]))
    }`
    writeFileSync(join(directory, 'fake.cjs'), script)
    writeFileSync(fake, `#!/bin/sh\nexec ${process.execPath} ${join(directory, 'fake.cjs')} "$@"\n`, { mode: 0o755 })
    await expect(check({ nodeBinary: fake })).rejects.toThrow(
      /native 1\.0\.0 cannot be loaded by Node\.js .*: it ends the process \(by a signal\)/,
    )
    expect((await check({ nodeBinary: fake, needed: ['other'] })).notes).toHaveLength(1)
  })

  test('that nothing needs is told, and does not stop the build', async () => {
    installed('native', { 'addon.node': 'MZ' })
    installed('service', {}, { optionalDependencies: { native: '1' } })
    expect((await check({ needed: ['service'] })).notes).toEqual([
      `native 1.0.0 is made for Windows, not for ${thisMachine}; it is optional, and the service has to do without it`,
    ])
    installed('strict', {}, { dependencies: { native: '1' } })
    await expect(check({ needed: ['service'] })).rejects.toThrow('native 1.0.0 is made for Windows')
  })
})
