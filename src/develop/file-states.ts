// The files of a service as its container should have them: by their paths there, told apart by what they hold.
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import type { SourceRoot } from '../images/build/builder.ts'
import { entriesBelow, type LayerEntry } from '../images/build/layers/layer.ts'
import type { ChangedFile } from './agent/words.ts'

export interface FileState {
  /** On this machine. */
  readonly source: string
  readonly mode: number
  /** Of a symbolic link: where it leads. */
  readonly link?: string
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
    for (const entry of await entriesOf(from, to.replace(/^\//, ''), filter)) {
      const path = `/${entry.path}`
      if (entry.kind === 'link')
        found.set(path, { source: '', mode: 0o777, link: entry.target, hash: `link ${entry.target}`, stat: '' })
      if (entry.kind !== 'file' || typeof entry.source !== 'string') continue
      const state = stateOf(entry.source, entry.mode ?? 0o644, before.get(path))
      if (state !== undefined) found.set(path, state)
    }
  return found
}

/** None of a folder that is not there, as before the first build of a project. */
async function entriesOf(from: string, to: string, filter: SourceRoot['filter']): Promise<LayerEntry[]> {
  try {
    return await entriesBelow(from, to, filter)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/** @returns undefined: it has just gone */
function stateOf(source: string, mode: number, before: FileState | undefined): FileState | undefined {
  try {
    const { size, ctimeNs, ino } = lstatSync(source, { bigint: true })
    const stat = `${size} ${ctimeNs} ${ino}`
    if (before?.stat === stat && before.mode === mode) return before
    return { source, mode, stat, hash: createHash('sha256').update(readFileSync(source)).digest('hex') }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** As much of a file goes at once. */
const partBytes = 4 << 20

/** What turns the one into the other: what is gone first, so that it makes room. */
export function changesBetween(from: FileStates, to: FileStates): ChangedFile[] {
  const changed = [...to]
    .filter(([path, { hash, mode }]) => from.get(path)?.hash !== hash || from.get(path)?.mode !== mode)
    .flatMap(([path, state]) => (state.link === undefined ? partsOf(path, state) : [{ path, link: state.link }]))
  const gone = [...from.keys()].filter(path => !to.has(path)).map((path): ChangedFile => ({ path }))
  return [...gone, ...changed]
}

function partsOf(path: string, { source, mode }: FileState): ChangedFile[] {
  const content = readFileSync(source)
  const parts = Math.max(1, Math.ceil(content.length / partBytes))
  return Array.from({ length: parts }, (_part, index) => {
    const at = index * partBytes
    const part = content.subarray(at, at + partBytes).toString('base64')
    return { path, mode, content: part, ...(parts > 1 && { at, more: index < parts - 1 }) }
  })
}

/** Another one whenever a file is. */
export function fingerprint(states: FileStates): string {
  const hash = createHash('sha256')
  for (const [path, state] of [...states].toSorted(([left], [right]) => (left < right ? -1 : 1)))
    hash.update(`${path} ${state.mode} ${state.hash}\n`)
  return hash.digest('hex').slice(0, 16)
}
