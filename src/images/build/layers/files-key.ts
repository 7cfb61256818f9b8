// Keys of layers that are made of files of this machine.
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'

/** Changes when one of the files of this machine does, or what is said beside them. */
export function filesKey(files: readonly string[], ...said: readonly string[]): string {
  const hash = createHash('sha256').update(`${process.arch} ${said.join('\n')}`)
  for (const file of files) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`\n${file} ${size} ${mtimeMs}`)
  }
  return hash.digest('hex').slice(0, 16)
}
