// Whether what takes routes or listeners takes those of a namespace. Pure. Source: Gateway API, RouteNamespaces.
import { matchesSelector } from '../label-selector.ts'
import type { FromNamespaces } from './types.ts'

/** @param own namespace of what takes them */
export function isFrom(
  { from, selector }: FromNamespaces<'All' | 'Selector' | 'Same' | 'None'>,
  namespace: string,
  own: string,
  labelsOf: (namespace: string) => Readonly<Record<string, string>>,
): boolean {
  switch (from) {
    case 'All':
      return true
    case 'Same':
      return namespace === own
    case 'Selector':
      return matchesSelector(selector, labelsOf(namespace))
    case 'None':
      return false
  }
}
