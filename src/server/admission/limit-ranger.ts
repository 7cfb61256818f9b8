// LimitRanger: containers get the defaults of their namespace's LimitRanges, and nothing may ask for less
// or more than they allow.
import type { Container, LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from '../../api/generated/models.ts'
import { forbidden } from '../../api/api-error.ts'
import { addQuantities, compareQuantities, milliValue } from '../../api/quantity.ts'
import { limitRanges, persistentVolumeClaims, pods } from '../../api/resources.ts'
import type { AdmissionPlugin, AdmissionRequest, ServerContext } from '../server-context.ts'
import { isPlainResource } from './admission.ts'

type Amounts = Readonly<Record<string, string>>

const annotation = 'kubernetes.io/limit-ranger'

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  mutate(request, context) {
    if (request.operation !== 'CREATE' || !isPlainResource(request, '', 'pods')) return
    for (const range of rangesOf(request, context))
      for (const item of range.spec?.limits ?? [])
        if (item.type === 'Container') applyDefaults(request.object as Pod, item)
  },
  validate(request, context) {
    if (request.operation === 'DELETE') return
    const isPod = request.operation === 'CREATE' && isPlainResource(request, '', 'pods')
    const isClaim = isPlainResource(request, '', 'persistentvolumeclaims')
    if (!isPod && !isClaim) return
    const items = rangesOf(request, context).flatMap(range => range.spec?.limits ?? [])
    const problems = items.flatMap(item =>
      isPod ? podProblems(request.object as Pod, item) : claimProblems(request.object as PersistentVolumeClaim, item),
    )
    if (problems.length > 0)
      throw forbidden(
        isPod ? pods : persistentVolumeClaims,
        request.object?.metadata.name ?? '',
        problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`,
      )
  },
}

const rangesOf = ({ target }: AdmissionRequest, { storage }: ServerContext): LimitRange[] =>
  target.namespace === undefined
    ? []
    : storage
        .cache(limitRanges)
        .list(target.namespace)
        .map(({ object }) => object as LimitRange)

function applyDefaults(pod: Pod, { default: limits = {}, defaultRequest: requests = {} }: LimitRangeItem): void {
  const notes: string[] = []
  const fill = (container: Container, sort: string): void => {
    const resources = (container.resources ??= {})
    // A limit that the client set is its request too; the default must not be more than that.
    const addedRequests = missing(requests, { ...resources.limits, ...resources.requests })
    const addedLimits = missing(limits, resources.limits)
    const addedNames = Object.keys(addedRequests).sort()
    if (addedNames.length > 0) {
      resources.requests = { ...resources.requests, ...addedRequests }
      notes.push(`${addedNames.join(', ')} request for ${sort} ${container.name}`)
    }
    if (Object.keys(addedLimits).length > 0) {
      resources.limits = { ...resources.limits, ...addedLimits }
      notes.push(`${Object.keys(addedLimits).sort().join(', ')} limit for ${sort} ${container.name}`)
    }
  }
  for (const container of pod.spec.containers) fill(container, 'container')
  for (const container of pod.spec.initContainers ?? []) fill(container, 'init container')
  if (notes.length > 0)
    pod.metadata.annotations = {
      ...pod.metadata.annotations,
      [annotation]: `LimitRanger plugin set: ${notes.join('; ')}`,
    }
}

const missing = (wanted: Amounts, given: Amounts = {}): Amounts =>
  Object.fromEntries(Object.entries(wanted).filter(([name]) => given[name] === undefined))

function podProblems(pod: Pod, item: LimitRangeItem): string[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  if (item.type === 'Container')
    return containers.flatMap(({ resources = {} }) =>
      problemsOf(item, resources.requests ?? {}, resources.limits ?? {}),
    )
  if (item.type !== 'Pod') return []
  const total = (which: 'requests' | 'limits'): Amounts =>
    pod.spec.containers.reduce<Record<string, string>>((sum, { resources }) => {
      for (const [name, amount] of Object.entries(resources?.[which] ?? {}))
        sum[name] = addQuantities(sum[name] ?? '0', amount)
      return sum
    }, {})
  return problemsOf(item, total('requests'), total('limits'))
}

function claimProblems({ spec }: PersistentVolumeClaim, item: LimitRangeItem): string[] {
  return item.type === 'PersistentVolumeClaim'
    ? problemsOf({ type: item.type, ...(item.min && { min: item.min }) }, spec.resources?.requests ?? {}, {}).concat(
        overMaximum(item, spec.resources?.requests ?? {}),
      )
    : []
}

function overMaximum({ type, max = {} }: LimitRangeItem, requests: Amounts): string[] {
  return Object.entries(max)
    .filter(([name, bound]) => requests[name] !== undefined && compareQuantities(requests[name], bound) > 0)
    .map(([name, bound]) => `maximum ${name} usage per ${type} is ${bound}, but request is ${requests[name]}`)
}

function problemsOf(
  { type, min = {}, max = {}, maxLimitRequestRatio = {} }: LimitRangeItem,
  requests: Amounts,
  limits: Amounts,
): string[] {
  const low = Object.entries(min).flatMap(([name, bound]) => {
    const [request, limit] = [requests[name], limits[name]]
    if (request === undefined) return [`minimum ${name} usage per ${type} is ${bound}.  No request is specified`]
    if (compareQuantities(request, bound) < 0)
      return [`minimum ${name} usage per ${type} is ${bound}, but request is ${request}`]
    return limit !== undefined && compareQuantities(limit, bound) < 0
      ? [`minimum ${name} usage per ${type} is ${bound}, but limit is ${limit}`]
      : []
  })
  const high = Object.entries(max).flatMap(([name, bound]) => {
    const [request, limit] = [requests[name], limits[name]]
    if (limit === undefined) return [`maximum ${name} usage per ${type} is ${bound}.  No limit is specified`]
    if (compareQuantities(limit, bound) > 0)
      return [`maximum ${name} usage per ${type} is ${bound}, but limit is ${limit}`]
    return request !== undefined && compareQuantities(request, bound) > 0
      ? [`maximum ${name} usage per ${type} is ${bound}, but request is ${request}`]
      : []
  })
  const ratio = Object.entries(maxLimitRequestRatio).flatMap(([name, bound]) => {
    const [request, limit] = [milliValue(requests[name]), milliValue(limits[name])]
    const found = request === 0 ? Infinity : limit / request
    return found * 1000 > milliValue(bound)
      ? [`${name} max limit to request ratio per ${type} is ${bound}, but provided ratio is ${found.toFixed(6)}`]
      : []
  })
  return [...low, ...high, ...ratio]
}
