// Where an entrance leads what it has looked up. Of a backend whose servers are all ejected, its double takes over, which has
// the same servers and ejects none: a service that fails everywhere answers as well as it can. Pure.
import type { Backend } from '../model/model.ts'

/** The double of a backend. */
export const allOf = (id: string): string => `${id}.all`

export const ejects = ({ balancing }: Backend): boolean => balancing?.ejection !== undefined

/** One that ejects nobody. */
export function doubleOf({ balancing, ...backend }: Backend): Backend {
  if (balancing === undefined) return backend
  const { ejection: _, ...others } = balancing
  return { ...backend, balancing: others }
}

/** @param variable that has the backend @param hasDoubles some backends have one */
export const leadLines = (variable: string, hasDoubles: boolean): readonly string[] => [
  ...(hasDoubles
    ? [
        `use_backend ${allOf(`%[var(${variable})]`)} if { var(${variable}),nbsrv eq 0 } { var(${variable}),concat(${allOf('')}),nbsrv gt 0 }`,
      ]
    : []),
  `use_backend %[var(${variable})]`,
]
