// Looks a request up in a routing table as HAProxy does, so that tests can hold it against the rules themselves. Pure.
import { matches, type AskedRequest } from '../model/find-rule.ts'
import { pathEnd, type RoutingTable } from './routing-table.ts'

/** @returns the name of an action */
export function lookUp(table: RoutingTable, request: AskedRequest): string | undefined {
  const asked = longest(table.paths, `${request.host}${request.path}${pathEnd}`)
  if (asked !== undefined && !table.choices.has(asked)) return asked
  const key = hostKey(table, request.host.toLowerCase())
  if (key === undefined) return undefined
  const decision = longest(table.paths, `${key}${request.path}${pathEnd}`)
  const choice = decision === undefined ? undefined : table.choices.get(decision)
  if (choice === undefined) return decision
  return choice.find(({ match: { pathPattern, ...rest } }) =>
    matches(
      {
        ...rest,
        path: pathPattern === undefined ? { kind: 'prefix', value: '' } : { kind: 'pattern', value: pathPattern },
      },
      request,
    ),
  )?.action
}

function hostKey({ hosts: { exact, oneLabel, below, any } }: RoutingTable, host: string): string | undefined {
  const ending = [...below].find(([end]) => host.endsWith(end))?.[1]
  return exact.get(host) ?? oneLabel.get(host.replace(/^[^.]+/, '*')) ?? ending ?? any
}

function longest(entries: ReadonlyMap<string, string>, text: string): string | undefined {
  const fitting = [...entries].filter(([prefix]) => text.startsWith(prefix))
  return fitting.toSorted(([left], [right]) => right.length - left.length)[0]?.[1]
}
