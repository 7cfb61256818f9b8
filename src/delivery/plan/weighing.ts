// A share of the requests by weights: each version has an entrance that leads to it alone, and routes lead to both of them.
// Pure.
import { samePart, type Entrance, type Part, type PartName, type Route } from '../engine/parts.ts'
import type { Manifest } from '../manifest/manifest.ts'
import { aside, entranceOf } from './parts-of.ts'

export interface Weighing {
  /** As they are before and after. */
  readonly routes: readonly Route[]
  readonly main: Entrance
  readonly canary: Entrance
}

/** @returns undefined when no route is there whose port both versions have */
export function weighingOf(manifest: Manifest, there: readonly Part[]): Weighing | undefined {
  const { name } = manifest
  const old = there.find((part): part is Entrance => samePart(part, { kind: 'entrance', name }))
  const next = entranceOf(manifest, 'serving')
  if (old === undefined || next === undefined) return undefined
  const isOfBoth = (wanted: string): boolean =>
    [old, next].every(({ ports }) => ports.some(({ name: port }) => port === wanted))
  const routes = there.filter(
    (part): part is Route => part.kind === 'route' && part.entrance === name && isOfBoth(part.port),
  )
  return routes.length === 0 ? undefined : { routes, main: aside(old, 'main'), canary: aside(next, 'canary') }
}

/** @param percent of the requests that go to the canary */
export const weighedRoutes = ({ routes, main, canary }: Weighing, percent: number): Route[] =>
  routes.map(route => ({
    ...route,
    weights: [
      { entrance: main.name, weight: 100 - percent },
      { entrance: canary.name, weight: percent },
    ],
  }))

/** What there is only while both versions get requests. */
export const passingEntrances = ({ main, canary }: Weighing): readonly PartName[] => [canary, main]
