// Keys of what is made of files of this machine, or by its tools.
import { createHash } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { findProgram } from '../../../host/cluster-programs.ts'

/** Changes when one of the files of this machine does, or what is said beside them. */
export function filesKey(files: readonly string[], ...said: readonly string[]): string {
  const hash = createHash('sha256').update(`${process.arch} ${said.join('\n')}`)
  for (const file of files) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`\n${file} ${size} ${mtimeMs}`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Changes when one of the tools of this machine does, or a variable that they go by. */
export const toolsKey = (programs: readonly string[], variables: readonly string[] = []): string =>
  filesKey(
    programs.flatMap(name => findProgram(name) ?? []).map(path => realpathSync(path)),
    ...variables.map(name => `${name}=${process.env[name]}`),
  )
