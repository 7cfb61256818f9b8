// From what HAProxy runs to what it is to run: the commands that bring it there while it runs, or the files that it is to
// be loaded with. A backend that is new takes the place of a spare one, so that a new service needs no loading. Pure.
import type { Server } from '../model/model.ts'
import { certificateChange } from './certificates.ts'
import { serverWords, type BackendLayout } from './backend-lines.ts'
import type { Layout } from './layout.ts'
import { commandWord } from './names.ts'

/** What HAProxy has by now. */
export interface Running {
  readonly layout: Layout
  /** What each backend is called there: its own name, or that of the spare one that it took. */
  readonly called: ReadonlyMap<string, string>
  readonly spares: readonly string[]
  /** By backend as it is called there: servers that got nothing new, and are to go when they have nothing left. */
  readonly leaving: ReadonlyMap<string, ReadonlySet<string>>
}

export type Change =
  | { readonly kind: 'none' }
  | { readonly kind: 'commands'; readonly steps: readonly Step[]; readonly next: Running }
  | { readonly kind: 'load'; readonly next: Running }

/** One after the other. */
export type Step =
  | { readonly commands: readonly string[] }
  /** The map gets these in place of what it has, all at once. */
  | { readonly map: string; readonly entries: ReadonlyMap<string, string> }
  /** What files hold from now on, for the next time that it is loaded; undefined: they go. */
  | { readonly files: ReadonlyMap<string, string | undefined> }

const spareNames = Array.from({ length: 32 }, (_spare, index) => `spare-${index}`)

/** What it has after it was loaded with a layout. */
export const loaded = (layout: Layout): Running => ({
  layout,
  called: new Map([...layout.backends.keys()].map(id => [id, id])),
  spares: spareNames,
  leaving: new Map(),
})

/** Backends that went stay until it is loaded anyway; nothing leads there. */
export function changeTo(running: Running | undefined, layout: Layout): Change {
  if (running === undefined || running.layout.skeleton !== layout.skeleton)
    return { kind: 'load', next: loaded(layout) }
  for (const [id, { lines }] of layout.backends)
    if (!sameLines(running.layout.backends.get(id)?.lines ?? [], lines)) return { kind: 'load', next: loaded(layout) }
  const spares = [...running.spares]
  const called = new Map([...running.called].filter(([id]) => layout.backends.has(id)))
  for (const id of layout.backends.keys()) {
    if (called.has(id)) continue
    const spare = spares.shift()
    if (spare === undefined) return { kind: 'load', next: loaded(layout) }
    called.set(id, spare)
  }
  const leaving = new Map<string, ReadonlySet<string>>()
  const first: string[] = []
  const last: string[] = []
  for (const [id, backend] of layout.backends) {
    const name = called.get(id)!
    const before = running.layout.backends.get(id)?.servers ?? new Map<string, Server>()
    const leftBefore = running.leaving.get(name) ?? new Set()
    const { commands, gone } = serverCommands(name, before, backend, leftBefore)
    first.push(...commands)
    for (const server of gone) if (!leftBefore.has(server)) last.push(`set server ${name}/${server} state maint`)
    if (gone.size > 0) leaving.set(name, gone)
  }
  const { puts, drops, replaced } = mapChanges(running, { layout, called })
  const certificates = certificateChange(running.layout.certificates, layout.certificates)
  if (certificates === undefined) return { kind: 'load', next: loaded(layout) }
  // First what is led to, last what is gone, so that nothing leads nowhere between.
  const steps: Step[] = [
    ...commandStep([...certificates.puts, ...first, ...puts]),
    ...replaced,
    ...commandStep([...drops, ...certificates.drops, ...last]),
    ...(certificates.files.size === 0 ? [] : [{ files: certificates.files }]),
  ]
  return steps.length === 0 ? { kind: 'none' } : { kind: 'commands', steps, next: { layout, called, spares, leaving } }
}

const commandStep = (commands: readonly string[]): readonly Step[] => (commands.length === 0 ? [] : [{ commands }])

const sameLines = (left: readonly string[], right: readonly string[]): boolean =>
  left === right || (left.length === right.length && left.every((line, index) => line === right[index]))

function serverCommands(
  backend: string,
  before: ReadonlyMap<string, Server>,
  layout: BackendLayout,
  leaving: ReadonlySet<string>,
): { readonly commands: readonly string[]; readonly gone: ReadonlySet<string> } {
  const { servers: after, isChecked, isSticky } = layout
  const commands: string[] = []
  const gone = new Set(leaving)
  // Who is known by a cookie would be led to one that drains.
  const draining = isSticky === true ? 'maint' : 'drain'
  for (const [name, server] of after) {
    const old = before.get(name)
    const state = `set server ${backend}/${name} state ${server.draining ? draining : 'ready'}`
    if (old === undefined) {
      if (!gone.delete(name))
        commands.push(
          `add server ${backend}/${name} ${server.address}:${server.port}${serverWords(layout, name)}`,
          ...(isChecked === true ? [`enable health ${backend}/${name}`] : []),
          // It gives a value to each server that has none.
          ...(isSticky === true ? [`enable dynamic-cookie backend ${backend}`] : []),
        )
      commands.push(state)
    } else if (old.draining !== server.draining) commands.push(state)
  }
  for (const name of before.keys()) if (!after.has(name)) gone.add(name)
  return { commands, gone }
}

type Led = Pick<Running, 'layout' | 'called'>

function mapChanges(
  running: Led,
  wanted: Led,
): { readonly puts: readonly string[]; readonly drops: readonly string[]; readonly replaced: readonly Step[] } {
  const puts: string[] = []
  const drops: string[] = []
  const replaced: Step[] = []
  // What is looked up last has its entries first, and loses them last: nobody is led to what is not there.
  for (const [file, entries] of [...wanted.layout.maps].toReversed()) {
    const before = resolved(running.layout.maps.get(file) ?? new Map(), running.called)
    const after = resolved(entries, wanted.called)
    if (wanted.layout.ordered.has(file)) {
      if (JSON.stringify([...before]) !== JSON.stringify([...after])) replaced.push({ map: file, entries: after })
      continue
    }
    for (const [key, value] of after)
      if (!before.has(key)) puts.push(`add map ${file} ${commandWord(key)} ${value}`)
      else if (before.get(key) !== value) puts.push(`set map ${file} ${commandWord(key)} ${value}`)
    const gone = [...before.keys()].filter(key => !after.has(key))
    drops.unshift(...gone.map(key => `del map ${file} ${commandWord(key)}`))
  }
  return { puts, drops, replaced }
}

/** With the names by which backends go there. */
export const resolved = (
  entries: ReadonlyMap<string, string>,
  called: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> => new Map([...entries].map(([key, value]) => [key, called.get(value) ?? value]))
