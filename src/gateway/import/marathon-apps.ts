// Applications in what Marathon's API gives and takes: one, a list, `{ apps: }`, `{ app: }`, or groups within groups; with
// their ports in all the forms that there were. Pure. Source: Marathon, App, PortDefinition, ContainerPortMapping, Task.
import { fieldsOf, isObject, type Fields } from './fields.ts'
import type { Report } from './report.ts'
import type { Target } from './addresses.ts'

export function marathonApps(source: unknown, report: Report): readonly Fields[] {
  const under = (value: unknown, parent: string): readonly Fields[] => {
    if (Array.isArray(value)) return value.flatMap((each: unknown) => under(each, parent))
    if (!isObject(value)) {
      report.leftOut(parent || 'the file', 'expected an application')
      return []
    }
    if (isObject(value['app'])) return under(value['app'], parent)
    if (Array.isArray(value['apps']) || Array.isArray(value['groups'])) {
      const id = typeof value['id'] === 'string' ? absolute(value['id'], parent) : parent
      for (const key of Object.keys(value))
        if (!['apps', 'groups'].includes(key)) report.passedOver(`group / ${key}`, 'of a group of applications')
      return [...under(value['apps'] ?? [], id), ...under(value['groups'] ?? [], id)]
    }
    const id = absolute(typeof value['id'] === 'string' ? value['id'] : 'app', parent)
    return [fieldsOf({ ...value, id }, id, report)]
  }
  return under(source, '')
}

const absolute = (id: string, parent: string): string =>
  id.startsWith('/') ? id : `${parent.replace(/\/$/, '')}/${id}`

export interface AppPort {
  /** 0: any. */
  readonly servicePort: number
  readonly containerPort?: number
}

export function portsOf(app: Fields): readonly AppPort[] {
  const container = app.value('container')
  const docker = isObject(container) ? container['docker'] : undefined
  const mappings = [container, docker].flatMap(each =>
    isObject(each) && Array.isArray(each['portMappings']) ? (each['portMappings'] as readonly unknown[]) : [],
  )
  if (mappings.length > 0)
    return mappings.filter(isObject).map(mapping => ({
      servicePort: numberIn(mapping['servicePort']),
      containerPort: numberIn(mapping['containerPort']),
    }))
  const definitions = app.value('portDefinitions')
  if (Array.isArray(definitions))
    return definitions.filter(isObject).map(definition => ({ servicePort: numberIn(definition['port']) }))
  const ports = app.value('ports')
  if (Array.isArray(ports)) return ports.map(port => ({ servicePort: numberIn(port) }))
  // Marathon gives an application without any one.
  return [{ servicePort: 0 }]
}

const numberIn = (value: unknown): number => {
  const number = Number(value ?? 0)
  return Number.isInteger(number) && number >= 0 && number <= 65_535 ? number : 0
}

export const instancesOf = (app: Fields): number =>
  Math.min(1_000_000, Math.max(0, Math.round(app.number('instances') ?? 1)))

/** Where it runs now, in the answer of the API with `embed=apps.tasks`. */
export function tasksOf(app: Fields, number: number): readonly Target[] {
  const tasks = app.value('tasks')
  if (!Array.isArray(tasks)) return []
  return tasks.filter(isObject).flatMap(task => {
    const ports: unknown = task['ports']
    const port = Array.isArray(ports) ? numberIn(ports[number]) : 0
    return typeof task['host'] === 'string' && port > 0 ? [{ address: task['host'], port }] : []
  })
}

/** All that it says of its containers and ports but their numbers, as names. */
export function otherFieldsOf(app: Fields): readonly string[] {
  const container = app.value('container')
  const docker = isObject(container) ? container['docker'] : undefined
  const inside = (value: unknown, name: string, known: readonly string[]): readonly string[] =>
    isObject(value)
      ? Object.keys(value)
          .filter(key => !known.includes(key))
          .map(key => `${name} / ${key}`)
      : []
  const ports = [
    ...[container, docker].map(each => (isObject(each) ? each['portMappings'] : undefined)),
    app.value('portDefinitions'),
  ].flatMap(each => (Array.isArray(each) ? (each as readonly unknown[]) : []))
  return [
    ...inside(container, 'container', ['docker', 'portMappings']),
    ...inside(docker, 'container / docker', ['portMappings']),
    ...ports.flatMap(port => inside(port, 'ports', ['containerPort', 'servicePort', 'port'])),
    ...[app.value('tasks')]
      .flatMap(tasks => (Array.isArray(tasks) ? (tasks as readonly unknown[]) : []))
      .flatMap(task => inside(task, 'tasks', ['host', 'ports'])),
  ]
}

export const isMarathon = (source: unknown): boolean => {
  const all = Array.isArray(source) ? (source as readonly unknown[]) : [source]
  return all.length > 0 && all.every(each => isObject(each) && isAppOrGroup(each))
}

const isAppOrGroup = (each: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(each['apps']) ||
  isObject(each['app']) ||
  (Array.isArray(each['groups']) && !('_format_version' in each)) ||
  (typeof each['id'] === 'string' &&
    ['labels', 'cmd', 'container', 'instances', 'portDefinitions', 'ports'].some(key => key in each))
