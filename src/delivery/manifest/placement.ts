// Where a service is delivered and under which names, as its manifest and the team's file say together.
import type { TokenRules } from '../engine/parts.ts'
import { namespaceByRule } from '../team/namespace-rule.ts'
import type { ExternalServer, Team, TeamEnvironment } from '../team/team.ts'
import { localRegistry } from '../../images/client/place.ts'
import type { BackingServiceType } from './manifest.ts'
import type { Written, WrittenLogin } from './written.ts'

const usualDomain = 'localhost'

const environmentOf = (team: Team | undefined, name: string): TeamEnvironment | undefined =>
  team !== undefined && Object.hasOwn(team.environments, name) ? team.environments[name] : undefined

export function namespaceOf({ name, namespace }: Written, environment: string, team: Team | undefined): string {
  return namespace ?? namespaceByRule(environmentOf(team, environment)?.namespace, environment, name)
}

/** In front of images that name none; undefined: each comes from where it comes from. */
export const registryOf = (environment: string, team: Team | undefined): string | undefined =>
  environmentOf(team, environment)?.registry

/** The image of the service itself. */
export function imageOf({ name, image }: Written, environment: string, team: Team | undefined): string {
  const registry = registryOf(environment, team)
  return image === undefined ? `${registry ?? localRegistry}/${name}` : withRegistry(image, environment, team)
}

export function withRegistry(image: string, environment: string, team: Team | undefined): string {
  const registry = registryOf(environment, team)
  return registry === undefined || hasRegistry(image) ? image : `${registry}/${image}`
}

/** As Docker tells it: the first part is a host when it has a dot or a port, or is localhost. */
function hasRegistry(image: string): boolean {
  const slash = image.indexOf('/')
  const first = image.slice(0, Math.max(slash, 0))
  return /[.:]/.test(first) || first === 'localhost'
}

/** A server that exists already; undefined: one is made beside the service. */
export const serverOf = (
  type: BackingServiceType,
  environment: string,
  team: Team | undefined,
): ExternalServer | undefined => environmentOf(team, environment)?.servers[type]

/** Which tokens are taken where a route does not say it itself. */
export const tokensOf = (environment: string, team: Team | undefined): TokenRules | undefined =>
  environmentOf(team, environment)?.tokens

/** How people log in where a route does not say it itself. */
export const loginOf = (environment: string, team: Team | undefined): WrittenLogin | undefined =>
  environmentOf(team, environment)?.login

/** A name of one label stands below the domain of the environment, `*.` in front or not. */
export function hostOf(host: string, environment: string, team: Team | undefined): string {
  const isLabel = !host.replace(/^\*\./, '').includes('.')
  return isLabel ? `${host}.${environmentOf(team, environment)?.domain ?? usualDomain}` : host
}
