// How an object that is there differs from what it would be after it is applied, in the words of the parts. Fields that
// nobody here ever set stand on both sides alike. Pure.
import type { KubeObject } from '../../../api/object.ts'
import type { Difference } from '../engine.ts'
import { annotation, label } from './labels.ts'

/** Not what somebody wanted, but what came of it. */
const volatile = new Set(['managedFields', 'resourceVersion', 'generation', 'creationTimestamp', 'uid', 'selfLink'])
const none = 'none'

export function differencesOf(is: KubeObject, wanted: KubeObject): Difference[] {
  const [left, right] = [leavesOf(is), leavesOf(wanted)]
  const fields = new Map<string, { is: string[]; wanted: string[]; secret: boolean }>()
  for (const path of new Set([...left.keys(), ...right.keys()])) {
    if (left.get(path) === right.get(path)) continue
    const steps = path.split(separator)
    const field = fieldOf(steps)
    const found = fields.get(field) ?? { is: [], wanted: [], secret: false }
    fields.set(field, found)
    found.secret ||= steps.includes('secretKeyRef')
    // What took the place of a secret may be one.
    const isOpen = steps.at(-1) !== 'value' || !steps.includes('env')
    if (left.has(path)) found.is.push(isOpen ? left.get(path)! : quoted(left.get(path)!))
    if (right.has(path)) found.wanted.push(isOpen ? right.get(path)! : quoted(right.get(path)!))
  }
  return [...fields].map(([field, found]) => ({
    field,
    is: told(found.is, found.secret),
    wanted: told(found.wanted, found.secret),
  }))
}

const quoted = (text: string): string => `"${text}"`

const told = (values: readonly string[], secret: boolean): string =>
  values.length === 0
    ? none
    : values.map(value => (secret && value.startsWith('"') ? 'a plain value' : value)).join(' ')

const separator = '\u0000'

/** Scalars, and lists of them, by their paths. */
function leavesOf({ metadata, ...object }: KubeObject): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>()
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !volatile.has(key)))
  walk({ metadata: kept, ...object, status: undefined }, [], leaves)
  return leaves
}

function walk(value: unknown, path: readonly string[], leaves: Map<string, string>): void {
  if (value === undefined || value === null) return
  if (typeof value !== 'object')
    return void leaves.set(path.join(separator), String(value as string | number | boolean))
  if (!Array.isArray(value)) {
    for (const [key, item] of Object.entries(value)) walk(item, [...path, key], leaves)
    return
  }
  if (value.length === 0) return
  if (value.every(item => typeof item !== 'object')) return void leaves.set(path.join(separator), value.join(' '))
  for (const [index, item] of (value as Record<string, unknown>[]).entries()) {
    const key = keys.find(candidate => item[candidate] !== undefined)
    const { [key ?? '']: name = index, ...rest } = item
    walk(rest, [...path, String(name)], leaves)
  }
}

/** Elements of a list are known by these, whatever their order. */
const keys = ['name', 'mountPath', 'containerPort', 'port', 'topologyKey', 'ip']

const wordsOfContainer: Readonly<Record<string, (rest: readonly string[]) => string>> = {
  image: () => 'process.image',
  imagePullPolicy: () => 'process.pullMark',
  command: () => 'process.command',
  env: ([name]) => `process.variables.${name}`,
  resources: ([kind, name]) => `process.resources.${kind === 'limits' && name === 'cpu' ? 'cpuLimit' : name}`,
  securityContext: rest => ['process.security', ...rest].join('.'),
  volumeMounts: ([path]) => `process.files.${path}`,
  ports: ([name]) => `ports.${name}`,
  readinessProbe: () => 'health',
  livenessProbe: () => 'health',
  startupProbe: () => 'health',
}

const words: Readonly<Record<string, (rest: readonly string[]) => string>> = {
  replicas: () => 'instances',
  strategy: () => 'update',
  updateStrategy: () => 'update',
  terminationGracePeriodSeconds: () => 'stopSeconds',
  topologySpreadConstraints: () => 'spread',
  volumes: ([name]) => `process.files.${name}`,
  securityContext: rest => ['process.security', ...rest].join('.'),
  schedule: () => 'timing',
  timeZone: () => 'timing.timeZone',
  concurrencyPolicy: () => 'overlap',
  backoffLimit: () => 'retries',
  activeDeadlineSeconds: () => 'timeLimitSeconds',
  volumeClaimTemplates: () => 'storage',
  ports: ([name]) => `ports.${name}`,
  rules: rest => (rest.includes('backendRefs') ? 'weights' : rest.at(-1) === 'host' ? 'host' : 'path'),
  hostnames: () => 'host',
  parentRefs: () => 'gateway',
  addresses: ([list = 'allow']) => list,
  authentication: () => 'auth',
  groups: () => 'groups',
  rateLimits: () => 'rateLimit',
  targetRefs: () => 'kind',
}

const marks: Readonly<Record<string, string>> = {
  [label.version]: 'version',
  [annotation.version]: 'version',
  [label.serving]: 'serving',
  [label.track]: 'track',
  [annotation.delivered]: 'process.pullMark',
  [annotation.timing]: 'timing',
}

/** In the engine's own words where the parts have none. */
function fieldOf(path: readonly string[]): string {
  const mark = path.includes('metadata') ? marks[path.at(-1)!] : undefined
  if (mark !== undefined) return mark
  const sidecar = path.indexOf('initContainers')
  if (sidecar >= 0) {
    const [name, inside = '', ...below] = path.slice(sidecar + 1)
    const wordOf = wordsOfContainer[inside]
    return `beside.${name}.${wordOf?.(below).replace('process.', '') ?? [inside, ...below].join('.')}`
  }
  const container = path.indexOf('containers')
  const [field = '', ...rest] = container < 0 ? path.slice(path.lastIndexOf('spec') + 1) : path.slice(container + 2)
  const word = (container < 0 ? words : wordsOfContainer)[field]
  // Of all the fields of this name only that of an entrance is there to be changed.
  if (path[0] === 'spec' && field === 'selector') return 'leadsTo'
  return word?.(rest) ?? path.join('.')
}
