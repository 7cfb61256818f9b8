import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { processMark } from '../../../host/process-mark.ts'
import { BuildError } from '../build-error.ts'
import { prepareCache } from './cache-folder.ts'

let directory = ''
let cacheDirectory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-layers-'))
  cacheDirectory = join(directory, 'cache')
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('the folder for layers', () => {
  test.each([
    ['/proc/sampan/layers', 'ENOENT'],
    ['/proc/self', 'ENOENT'],
    ['/sys/layers', 'EPERM'],
    ['FILE', 'EEXIST'],
    ['FILE/layers', 'ENOTDIR'],
  ])('that cannot be written is named: %s', async (path, code) => {
    writeFileSync(join(directory, 'file'), '')
    const inTheWay = path.replace('FILE', join(directory, 'file'))
    await expect(prepareCache(inTheWay)).rejects.toThrow(
      new BuildError(
        `the folder ${inTheWay}, where layers are kept, cannot be written (${code}); name another one with XDG_CACHE_HOME`,
      ),
    )
  })

  test('loses what killed builds left, and nothing of those that run', async () => {
    const [place, boot, numbers] = processMark().split('-')
    const gone = `making-${place}-${boot}-${numbers}-1-1.a`
    const kept = [`making-${processMark()}.b`, `making-00000000-${boot}-${numbers}-1-1.c`]
    for (const name of [gone, 'making-old', ...kept])
      mkdirSync(join(cacheDirectory, name, 'project'), { recursive: true })
    utimesSync(join(cacheDirectory, 'making-old'), 1, 1)
    await prepareCache(cacheDirectory)
    const found = readdirSync(cacheDirectory).filter(name => name.startsWith('making-'))
    expect(found.toSorted()).toEqual(kept.toSorted())
  })
})
