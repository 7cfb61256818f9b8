// How `kubectl get` prints: ages, durations, lists of containers. Every kind's `row` uses these.
import type { ObjectMeta, PodTemplateSpec } from '../generated/models.ts'
import type { Column } from '../kind.ts'

export const none = '<none>'
export const unknown = '<unknown>'

const second = 1000

/** `90s`, `5m30s`, `3h`, `5d3h`, `2y30d`: two units while they matter. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / second)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (days < 8) return two(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  const years = Math.trunc(days / 365)
  return years < 8 ? two(years, 'y', days % 365, 'd') : `${years}y`
}

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`

/** How long ago a time stamp was, `<unknown>` when there is none. */
export const since = (timestamp: string | undefined, nowMs: number): string =>
  timestamp ? humanDuration(nowMs - Date.parse(timestamp)) : unknown

export const age = (object: { metadata: ObjectMeta }, nowMs: number): string =>
  since(object.metadata.creationTimestamp, nowMs)

/** Columns in the compact form `Name`, or `Name*` for those of `-o wide`. */
export function columns(...names: readonly string[]): Column[] {
  return names.map(name => {
    const [label = '', type = 'string'] = name.replace('*', '').split(':')
    return {
      name: label,
      type: type as Column['type'],
      format: label === 'Name' ? 'name' : '',
      priority: name.includes('*') ? 1 : 0,
    }
  })
}

export function templateCells(template: PodTemplateSpec | undefined): [containers: string, images: string] {
  const containers = template?.spec?.containers ?? []
  return [containers.map(container => container.name).join(','), containers.map(container => container.image).join(',')]
}

/** Some of a long list: `a,b,c + 4 more...`. */
export function firstFew(items: readonly string[], whenEmpty: string, maximum = 3): string {
  if (items.length === 0) return whenEmpty
  const shown = items.slice(0, maximum).join(',')
  return items.length > maximum ? `${shown} + ${items.length - maximum} more...` : shown
}
