// Names that are made of several, and have to fit all the same: as labels of DNS, and as the names of what a Kubernetes
// makes of them. Other long names are shortened by the engine, since nobody has to know them. Pure.
import type { Team } from '../team/team.ts'
import type { Mistake } from './field.ts'
import { longestHost, longestName } from './field-values.ts'
import type { Rule } from './layered-file.ts'
import { backingServiceTypes } from './manifest.ts'
import { hostOf, namespaceOf, serverOf } from './placement.ts'
import type { Written } from './written.ts'

export const nameLengthRules = (team: Team | undefined): readonly Rule<Written>[] => [
  { reads: ['name', 'namespace'], mistakes: (written, environment) => namespaceFits(written, environment, team) },
  { reads: ['name', 'ports', 'checks'], mistakes: candidateFits },
  {
    reads: ['name', ...backingServiceTypes],
    mistakes: (written, environment) => serversFit(written, environment, team),
  },
  { reads: ['routes'], mistakes: (written, environment) => hostsFit(written, environment, team) },
]

/** Its instances have the name of their kind behind theirs, in a label of 63. */
const longestServer = 52

function fits(path: Mistake['path'], what: string, made: string, longest: number, shorten: string): Mistake[] {
  if (made.length <= longest) return []
  const message = `expected a shorter one: ${what} ${made} has ${made.length} characters, at most ${longest} are possible; shorten ${shorten}`
  return [{ path, message }]
}

function namespaceFits(written: Written, environment: string, team: Team | undefined): Mistake[] {
  const made = namespaceOf(written, environment, team)
  return fits(['name'], 'the namespace', made, longestName, 'the name of the service or of the environment')
}

/** The check asks it under its name. */
function candidateFits({ name, ports = {}, checks }: Written): Mistake[] {
  if (checks?.before === undefined || Object.keys(ports).length === 0) return []
  const what = 'the host that checks.before asks,'
  return fits(['name'], what, `${name}-candidate`, longestName, 'the name of the service')
}

function serversFit(written: Written, environment: string, team: Team | undefined): Mistake[] {
  const made = backingServiceTypes.filter(
    type => written[type] !== undefined && written[type] !== false && serverOf(type, environment, team) === undefined,
  )
  return made.flatMap(type =>
    fits(['name'], `the ${type} server`, `${written.name}-${type}`, longestServer, 'the name of the service'),
  )
}

function hostsFit({ routes = [] }: Written, environment: string, team: Team | undefined): Mistake[] {
  return routes.flatMap(({ host }, index) =>
    fits(['routes', index, 'host'], 'the host', hostOf(host, environment, team), longestHost, 'it or the domain'),
  )
}
