// Pulls and pushes of a layer of 100 MB, beside what the disk does with as much: serving a layer should take no more
// than twice as long as reading it. Clients are processes of their own, as they are in life.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRegistry } from '../../src/images/registry/registry.ts'
import type { Figures } from './figures.ts'

const layerBytes = 100_000_000

export async function pull(figures: Figures): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-bench-pull-'))
  const [layer, copy] = [join(directory, 'layer'), join(directory, 'copy')]
  const content = randomBytes(layerBytes)
  writeFileSync(layer, content)
  const hex = createHash('sha256').update(content).digest('hex')
  const registry = await startRegistry({ directory: join(directory, 'registry'), host: '127.0.0.1', port: 0 })
  const repository = `http://127.0.0.1:${registry.port}/v2/bench/blobs`
  const blob = join(directory, 'registry', 'blobs', 'sha256', hex)
  try {
    await figures.timed('write 100 MB to the disk', () =>
      run('dd', `if=${layer}`, `of=${copy}`, 'bs=1M', 'conv=fsync', 'status=none'),
    )
    await figures.timed('push a layer of 100 MB', () =>
      run('curl', '-sf', '-T', layer, '-X', 'POST', '-o', '/dev/null', `${repository}/uploads?digest=sha256:${hex}`),
    )
    await outOfMemory(blob)
    await figures.timed('read 100 MB from the disk', () =>
      run('dd', `if=${blob}`, 'of=/dev/null', 'bs=1M', 'status=none'),
    )
    await outOfMemory(blob)
    await figures.timed('pull a layer of 100 MB', () =>
      run('curl', '-sf', '-o', '/dev/null', `${repository}/sha256:${hex}`),
    )
    await figures.timed('pull it once more, from memory', () =>
      run('curl', '-sf', '-o', '/dev/null', `${repository}/sha256:${hex}`),
    )
  } finally {
    await registry.close()
    rmSync(directory, { recursive: true })
  }
}

/** The kernel keeps nothing of this file: the disk is what is compared. */
const outOfMemory = (file: string): Promise<void> => run('dd', `if=${file}`, 'iflag=nocache', 'count=0', 'status=none')

async function run(program: string, ...args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}
