// A checked file with environments in it: what holds in each of them, with everything laid over what it is based on,
// and the mistakes that are seen only then. A mistake is told once, where it stands, and with the environments that
// have it where that is not all of them.
import type { CheckedFile } from './check.ts'
import { pathText, type Fields, type Mistake, type Path } from './field.ts'
import { missingIn } from './incomplete.ts'
import { ordered, type Finding } from './manifest-error.ts'
import { suggestion } from './nearest-name.ts'
import { overlay } from './overlay.ts'

/** Something that several fields have to agree in. */
export interface Rule<Value> {
  /** First parts of the paths that it looks at; it is not asked when something is wrong with one of them already. */
  readonly reads: readonly string[]
  readonly mistakes: (value: Value, environment: string) => readonly Mistake[]
}

/** By environment. */
export type Layered<Value> = ReadonlyMap<string, Value>

interface Layer {
  /** Of the environment that it is; undefined: what all are based on. */
  readonly name?: string
  readonly path: Path
  readonly value: Readonly<Record<string, unknown>>
}

interface Located extends Mistake {
  readonly layer: string | undefined
  readonly environment: string
}

/**
 * @param chains by environment: what it is laid over, nearest first, beginning with itself
 * @param rules called with values that have nothing wrong in the fields that they read
 */
export function readLayers<Value>(
  file: CheckedFile,
  fields: Fields,
  chains: ReadonlyMap<string, readonly string[]>,
  rules: readonly Rule<Value>[],
): { readonly values: Layered<Value>; readonly findings: readonly Finding[] } {
  const { environments = {}, ...base } = file.value as { environments?: Record<string, Record<string, unknown>> }
  const found: Located[] = []
  const values = new Map<string, Value>()
  for (const [environment, chain] of chains) {
    const named = chain.filter(name => Object.hasOwn(environments, name)).toReversed()
    const layers: Layer[] = [
      { path: [], value: base },
      ...named.map(name => ({ name, path: ['environments', name], value: environments[name]! })),
    ]
    const isBroken = (field: string): boolean => layers.some(({ path }) => file.isBroken([...path, field]))
    const tell = (layer: Layer, { path, message }: Mistake): void =>
      void found.push({ path: [...layer.path, ...path], message, layer: layer.name, environment })
    let value: unknown = base
    for (const layer of layers.slice(1)) {
      const { extends: _extends, ...change } = layer.value
      value = overlay(value, change, fields, (path, known) => {
        if (!isBroken(String(path[0]))) tell(layer, { path, message: nothingToTake(path, known) })
      })
    }
    values.set(environment, value as Value)
    const missing = missingIn(value, fields).filter(({ path }) => path.length > 0 && !isBroken(String(path[0])))
    const isUsable = (field: string): boolean => !isBroken(field) && !missing.some(({ path }) => path[0] === field)
    const mistakes = [
      ...missing,
      ...rules.filter(({ reads }) => reads.every(isUsable)).flatMap(rule => rule.mistakes(value as Value, environment)),
    ]
    for (const mistake of mistakes) tell(layerOf(mistake.path, layers), mistake)
  }
  return { values, findings: told(found, file, chains) }
}

function nothingToTake(path: Path, known: readonly string[]): string {
  const name = String(path.at(-1))
  return `expected a value, or ${JSON.stringify(name)} below to take away, found neither; ${suggestion(name, known)}`
}

/** The last one that says something at the path. */
const layerOf = (path: Path, layers: readonly Layer[]): Layer =>
  layers.findLast(({ value }) => holds(value, path)) ??
  layers.findLast(({ value }) => holds(value, path.slice(0, 1))) ??
  layers[0]!

function holds(value: unknown, path: Path): boolean {
  let inside = value
  for (const part of path) {
    if (typeof inside !== 'object' || inside === null || !Object.hasOwn(inside, part)) return false
    inside = (inside as Record<string | number, unknown>)[part]
  }
  return true
}

function told(
  found: readonly Located[],
  { lineAt }: CheckedFile,
  chains: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  const groups = Map.groupBy(found, ({ path, message }) => JSON.stringify([path, message]))
  return ordered(
    [...groups.values()].map(same => {
      const { path, message, layer } = same[0]!
      const having = new Set(same.map(({ environment }) => environment))
      const possible = [...chains.values()].filter(chain => layer === undefined || chain.includes(layer))
      const where = having.size === possible.length ? '' : ` (in ${[...having].join(', ')})`
      return { line: lineAt(path), field: pathText(path), message: `${message}${where}` }
    }),
  )
}
