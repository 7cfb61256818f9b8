// The files of a service as its container should have them: by their paths there, told apart by what they hold.
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import type { SourceRoot } from '../images/build/builder.ts'
import { entriesBelow } from '../images/build/layers/layer.ts'
import type { ChangedFile } from './agent/words.ts'

export interface FileState {
  /** On this machine. */
  readonly source: string
  readonly mode: number
  readonly hash: string
  /** Changes when the file does. */
  readonly stat: string
}

/** By absolute path in the container. */
export type FileStates = ReadonlyMap<string, FileState>

/** @param before what has not changed since is not read again */
export async function fileStates(roots: readonly SourceRoot[], before: FileStates = new Map()): Promise<FileStates> {
  const found = new Map<string, FileState>()
  for (const { from, to, filter } of roots)
    for (const entry of await entriesBelow(from, to.replace(/^\//, ''), filter)) {
      if (entry.kind !== 'file' || typeof entry.source !== 'string') continue
      const path = `/${entry.path}`
      const state = stateOf(entry.source, entry.mode ?? 0o644, before.get(path))
      if (state !== undefined) found.set(path, state)
    }
  return found
}

/** @returns undefined: it has just gone */
function stateOf(source: string, mode: number, before: FileState | undefined): FileState | undefined {
  try {
    const { size, ctimeNs, ino } = lstatSync(source, { bigint: true })
    const stat = `${size} ${ctimeNs} ${ino}`
    if (before?.stat === stat && before.mode === mode) return before
    return { source, mode, stat, hash: createHash('sha256').update(readFileSync(source)).digest('hex') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What turns the one into the other. */
export function changesBetween(from: FileStates, to: FileStates): ChangedFile[] {
  const changed = [...to]
    .filter(([path, { hash, mode }]) => from.get(path)?.hash !== hash || from.get(path)?.mode !== mode)
    .map(([path, { source, mode }]): ChangedFile => ({ path, mode, content: readFileSync(source, 'base64') }))
  const gone = [...from.keys()].filter(path => !to.has(path)).map((path): ChangedFile => ({ path }))
  return [...gone, ...changed]
}

/** Another one whenever a file is. */
export function fingerprint(states: FileStates): string {
  const hash = createHash('sha256')
  for (const [path, state] of [...states].toSorted(([left], [right]) => (left < right ? -1 : 1)))
    hash.update(`${path} ${state.mode} ${state.hash}\n`)
  return hash.digest('hex').slice(0, 16)
}
