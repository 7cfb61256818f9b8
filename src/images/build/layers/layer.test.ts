import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { extract } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { entriesBelow, writeLayer } from './layer.ts'

let root = ''
let directory = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-layers-'))
  directory = join(root, 'project')
  mkdirSync(directory)
  put('package.json', '{}')
  put('main.js', '')
})
afterEach(() => rmSync(root, { recursive: true }))

const put = (path: string, content: string): void => writeFileSync(join(directory, path), content)

describe('a layer', () => {
  test('keeps links and whether a file is a program, and nothing else of its surroundings', async () => {
    put('run.sh', '#!/bin/sh')
    chmodSync(join(directory, 'run.sh'), 0o700)
    symlinkSync('main.js', join(directory, 'link.js'))
    put('empty', '')
    const file = join(root, 'layer.tar')
    await writeLayer(file, await entriesBelow(directory, 'app'))
    const unpack = extract()
    unpack.end(execFileSync('cat', [file]))
    const found: Record<string, unknown> = {}
    for await (const entry of unpack) {
      const { name, mode, uid, mtime, linkname, type } = entry.header
      found[name] = [type, mode?.toString(8), uid, mtime?.getTime(), linkname ?? undefined]
      entry.resume()
    }
    expect(found).toEqual({
      'app/': ['directory', '755', 0, 0, undefined],
      'app/empty': ['file', '644', 0, 0, undefined],
      'app/link.js': ['symlink', '777', 0, 0, 'main.js'],
      'app/main.js': ['file', '644', 0, 0, undefined],
      'app/package.json': ['file', '644', 0, 0, undefined],
      'app/run.sh': ['file', '755', 0, 0, undefined],
    })
  })

  test('does not depend on the order of its entries, and takes long names', async () => {
    const long = `${'directory/'.repeat(20)}file`
    const entries = [
      { path: long, kind: 'file', source: Buffer.from('x') },
      { path: 'a', kind: 'file', source: Buffer.from('y') },
    ] as const
    const layers = await Promise.all(
      [entries, entries.toReversed()].map((order, index) => writeLayer(join(root, `order-${index}.tar`), order)),
    )
    expect(layers[0]).toEqual(layers[1])
  })

  test('of a file that cannot be read fails instead of waiting', async () => {
    await expect(
      writeLayer(join(root, 'missing.tar'), [{ path: 'a', kind: 'file', source: join(root, 'nothing') }]),
    ).rejects.toThrow(/ENOENT/)
  })

  test('that cannot be written fails', async () => {
    await expect(
      writeLayer(join(root, 'nowhere', 'x.tar'), [{ path: 'a', kind: 'file', source: Buffer.alloc(100_000) }]),
    ).rejects.toThrow(/ENOENT/)
  })
})
