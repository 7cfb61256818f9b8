// From the text of a `sampan.yml` to the team, with every inheritance resolved.
import type { TokenRules } from '../engine/parts.ts'
import { checkFile, type CheckedFile } from '../manifest/check.ts'
import { pathText, type Mistake } from '../manifest/field.ts'
import { chainsOf } from '../manifest/inheritance.ts'
import { readLayers, type Rule } from '../manifest/layered-file.ts'
import { ManifestError, ordered, type Finding } from '../manifest/manifest-error.ts'
import { suggestion } from '../manifest/nearest-name.ts'
import { keysNowhere } from '../manifest/route-policies.ts'
import type { WrittenLogin } from '../manifest/written.ts'
import { needMistakes } from './service-order.ts'
import { teamFields } from './team-fields.ts'
import type { ExternalServer, Hook, Team, TeamEnvironment, TeamService } from './team.ts'

interface WrittenEnvironment {
  readonly context?: string
  readonly engine?: 'kubernetes'
  readonly domain?: string
  readonly registry?: string
  /** `NAMESPACE/NAME` */
  readonly gateway?: string
  readonly namespace?: { readonly rule?: 'environment' | 'service'; readonly name?: string }
  readonly readers?: readonly string[]
  readonly servers?: TeamEnvironment['servers']
  readonly jwt?: TokenRules
  readonly oidc?: WrittenLogin
  readonly prometheus?: string
}

interface WrittenTeam extends WrittenEnvironment {
  readonly people?: Readonly<Record<string, string>>
  readonly hooks?: Readonly<Record<string, WrittenHook>>
  readonly services?: Readonly<Record<string, { readonly path?: string; readonly needs?: readonly string[] }>>
  readonly environments?: Readonly<Record<string, WrittenEnvironment & { readonly extends?: string }>>
}

interface WrittenHook {
  readonly url?: string
  readonly secret?: string
  readonly optional?: boolean
}

/** @throws ManifestError with line, field and suggestion for every mistake */
export function readTeam(file: string, text: string): Team {
  const { team, findings } = checkTeam(text)
  if (findings.length > 0) throw new ManifestError(file, findings)
  return team
}

/** @returns beside what is wrong, the team as far as it can be read */
export function checkTeam(text: string): { readonly team: Team; readonly findings: readonly Finding[] } {
  const file = checkFile(text, teamFields, 'sampan.yml')
  const written = file.value as WrittenTeam
  const environments = Object.entries(written.environments ?? {})
  const { chains, mistakes } = chainsOf(
    new Map(environments.map(([name, { extends: next }]) => [name, next ?? undefined])),
  )
  // Without an environment, what they would share is checked all the same.
  const checked = chains.size > 0 ? chains : new Map([['', ['']]])
  const { values, findings } = readLayers(file, teamFields, checked, [readersExist, keysAreSomewhere])
  const ofFile = [...mistakes, ...needsIn(file, written)].map(({ path, message }) => ({
    line: file.lineAt(path),
    field: pathText(path),
    message,
  }))
  return {
    team: {
      environments: Object.fromEntries(
        [...chains].map(([name, chain]) => [name, environmentOf(chain, values.get(name)!, written)]),
      ),
      services: mapped(written.services, serviceOf),
      people: written.people ?? {},
      hooks: mapped(written.hooks, hookOf),
    },
    findings: ordered([...file.findings, ...ofFile, ...findings]),
  }
}

const readersExist: Rule<WrittenTeam> = {
  reads: ['readers', 'people'],
  mistakes: ({ readers = [], people = {} }) =>
    readers.flatMap((reader, index): Mistake[] =>
      Object.hasOwn(people, reader)
        ? []
        : [
            {
              path: ['readers', index],
              message: `expected a name from people, found ${JSON.stringify(reader)}; ${suggestion(reader, Object.keys(people))}`,
            },
          ],
    ),
}

const keysAreSomewhere: Rule<WrittenTeam> = {
  reads: ['jwt'],
  mistakes: ({ jwt }) => (jwt === undefined ? [] : keysNowhere(jwt, ['jwt'])),
}

function needsIn({ isBroken }: CheckedFile, { services = {} }: WrittenTeam): Mistake[] {
  if (isBroken(['services'])) return []
  return needMistakes(new Map(Object.entries(services).map(([name, { needs = [] }]) => [name, needs])))
}

const mapped = <From, To>(
  values: Readonly<Record<string, From>> | undefined,
  to: (value: From, name: string) => To,
): Record<string, To> =>
  Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, to(value, name)]))

const usualDomain = 'localhost'

function environmentOf(
  chain: readonly string[],
  value: WrittenEnvironment,
  { environments = {} }: WrittenTeam,
): TeamEnvironment {
  const [name = '', ...others] = chain
  const { context, registry, gateway, jwt, oidc, prometheus, namespace } = value
  const isOwn = typeof environments[name]?.domain === 'string'
  const domain = value.domain === undefined ? usualDomain : isOwn ? value.domain : `${name}.${value.domain}`
  return {
    name,
    extends: others,
    ...(context !== undefined && { context }),
    engine: value.engine ?? 'kubernetes',
    domain,
    ...(registry !== undefined && { registry }),
    ...(gateway !== undefined && { gateway: gatewayOf(gateway) }),
    namespace: namespace?.name === undefined ? (namespace?.rule ?? 'environment') : { name: namespace.name },
    readers: value.readers ?? [],
    servers: (value.servers ?? {}) as Readonly<Record<string, ExternalServer>>,
    ...(jwt !== undefined && { tokens: jwt }),
    ...(oidc !== undefined && { login: oidc }),
    ...(prometheus !== undefined && { prometheus }),
  }
}

function gatewayOf(written: string): NonNullable<TeamEnvironment['gateway']> {
  const [namespace = '', name = ''] = written.split('/')
  return { namespace, name }
}

const serviceOf = ({ path, needs = [] }: NonNullable<WrittenTeam['services']>[string], name: string): TeamService => ({
  path: path ?? name,
  needs,
})

const hookOf = ({ url, secret, optional = false }: WrittenHook): Hook => ({
  url: secret === undefined ? { value: url! } : { secret },
  optional,
})
