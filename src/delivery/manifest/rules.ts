// What fields of an `app.yml` have to agree in, in each environment.
import { readTiming } from '../schedule/read-timing.ts'
import type { Team } from '../team/team.ts'
import type { Mistake } from './field.ts'
import type { Rule } from './layered-file.ts'
import { versionVariable } from './manifest.ts'
import { nameLengthRules } from './name-lengths.ts'
import { suggestion } from './nearest-name.ts'
import { healthPort, routePort, tcpPorts } from './port-choice.ts'
import { policyMistakes } from './route-policies.ts'
import type { Written, WrittenHealth, WrittenProcess } from './written.ts'

export const rulesFor = (team: Team | undefined): readonly Rule<Written>[] => [
  { reads: ['ports'], mistakes: portsTwice },
  { reads: ['ports', 'health', 'sidecars'], mistakes: portOfHealth },
  ...ofEachProcess(['env', 'secrets'], variables),
  ...ofEachProcess(['resources'], coresBelowLimit),
  ...ofEachProcess(['security'], userIsRoot),
  { reads: ['strategy'], mistakes: canaryAlone },
  { reads: ['schedules'], mistakes: timings },
  { reads: ['ports', 'routes'], mistakes: routesLead },
  { reads: ['routes'], mistakes: (written, environment) => policyMistakes(written, environment, team) },
  ...ofEachProcess(['files'], filesInFiles),
  { reads: ['name', 'sidecars'], mistakes: sidecarsDiffer },
  { reads: ['notify'], mistakes: written => hooksExist(written, team) },
  ...nameLengthRules(team),
]

/** The service's own process and those beside it. */
function ofEachProcess(reads: readonly string[], mistakes: (process: WrittenProcess) => Mistake[]): Rule<Written>[] {
  return [
    { reads, mistakes },
    {
      reads: ['sidecars'],
      mistakes: ({ sidecars = {} }) =>
        Object.entries(sidecars).flatMap(([name, process]) =>
          mistakes(process).map(({ path, message }) => ({ path: ['sidecars', name, ...path], message })),
        ),
    },
  ]
}

function sidecarsDiffer({ name, sidecars = {} }: Written): Mistake[] {
  return Object.entries(sidecars).flatMap(([sidecar, { image, command }]) => {
    const path = ['sidecars', sidecar]
    if (sidecar === name) return [{ path, message: `expected another name than that of the service, found "${name}"` }]
    return image === undefined && command === undefined
      ? [{ path, message: 'expected image or command, found neither: it would be the service once more' }]
      : []
  })
}

function portsTwice({ ports = {} }: Written): Mistake[] {
  const users = new Map<string, string>()
  const mistakes: Mistake[] = []
  for (const [name, { port, nodePort, protocol = 'TCP' }] of Object.entries(ports))
    for (const [field, number] of Object.entries({ port, nodePort })) {
      if (number === undefined) continue
      const user = users.get(`${field} ${number} ${protocol}`)
      users.set(`${field} ${number} ${protocol}`, name)
      if (user === undefined) continue
      const message = `expected a ${field} of its own, found ${number}, which "${user}" has`
      mistakes.push({ path: ['ports', name, field], message })
    }
  return mistakes
}

function portOfHealth(written: Written): Mistake[] {
  const { health, sidecars = {} } = written
  return [
    ...mistakesOfHealth(written, health, healthPort(written)),
    ...Object.entries(sidecars).flatMap(([name, sidecar]) =>
      mistakesOfHealth(written, sidecar.health, sidecar.health?.port).map(({ path, message }) => ({
        path: ['sidecars', name, ...path],
        message,
      })),
    ),
  ]
}

/** @param chosen the port that is asked, where one is known */
function mistakesOfHealth(written: Written, health: WrittenHealth | undefined, chosen: string | undefined): Mistake[] {
  if (health === undefined) return []
  if (health.command !== undefined)
    return health.port === undefined
      ? []
      : [{ path: ['health', 'port'], message: `expected no port beside command, found ${JSON.stringify(health.port)}` }]
  return unknownPort(written, chosen, health.port).map(message => ({ path: ['health'], message }))
}

/** @param named as it is written */
function unknownPort(written: Written, chosen: string | undefined, named: string | undefined): string[] {
  const ports = tcpPorts(written)
  if (chosen !== undefined && ports.includes(chosen)) return []
  const found = named === undefined ? (ports.length === 0 ? 'no ports at all' : 'none') : JSON.stringify(named)
  const known =
    named === undefined && ports.length === 0 ? 'write ports: { http: 3000 }' : suggestion(named ?? '', ports)
  return [`expected the name of a port of this service, found ${found}; ${known}`]
}

/** With its name, `=` and an end. */
const longestVariable = 128 * 1024 - 2

function variables({ env = {}, secrets = [] }: WrittenProcess): Mistake[] {
  const ours: Mistake[] = [
    ['env', env] as const,
    ['secrets', Object.fromEntries(secrets.map(name => [name, true]))] as const,
  ]
    .filter(([, names]) => Object.hasOwn(names, versionVariable))
    .map(([field]) => ({
      path: field === 'env' ? [field, versionVariable] : [field, secrets.indexOf(versionVariable)],
      message: 'expected another name: Sampan sets this one to the version that is delivered',
    }))
  const both = secrets
    .filter(name => Object.hasOwn(env, name))
    .map(name => ({ path: ['env', name], message: 'expected it in one of env and secrets, found it in both' }))
  const long = Object.entries(env)
    .filter(([name, { value = '' }]) => Buffer.byteLength(name + value) > longestVariable)
    .map(([name]) => ({
      path: ['env', name],
      message: 'expected less than 128 KiB, which is all that Linux takes; use files',
    }))
  return [...ours, ...both, ...long]
}

const coresOf = (text: string): number => (text.endsWith('m') ? Number(text.slice(0, -1)) / 1000 : Number(text))

function coresBelowLimit({ resources: { cpu, cpuLimit } = {} }: WrittenProcess): Mistake[] {
  if (cpuLimit === undefined) return []
  const message =
    coresOf(cpuLimit) === 0
      ? `expected more than no cores, found ${cpuLimit}`
      : `expected at least the ${cpu} that cpu reserves, found ${cpuLimit}`
  const fits = coresOf(cpuLimit) > 0 && (cpu === undefined || coresOf(cpu) <= coresOf(cpuLimit))
  return fits ? [] : [{ path: ['resources', 'cpuLimit'], message }]
}

function userIsRoot({ security: { root = false, user } = {} }: WrittenProcess): Mistake[] {
  return user === 0 && !root
    ? [
        {
          path: ['security', 'user'],
          message: 'expected another user than 0, which is root, or root: true beside it; found 0',
        },
      ]
    : []
}

function canaryAlone({ strategy }: Written): Mistake[] {
  if (strategy === undefined) return []
  const { kind, steps } = strategy
  if (kind !== 'canary')
    return (['steps', 'analysis'] as const)
      .filter(field => strategy[field] !== undefined)
      .map(field => ({ path: ['strategy', field], message: `expected it with kind: canary alone, found ${kind}` }))
  if (steps?.length === 0)
    return [{ path: ['strategy', 'steps'], message: 'expected at least one step, found an empty list' }]
  return (steps ?? []).flatMap(({ percent }, index) => {
    const before = steps![index - 1]?.percent ?? 0
    return percent > before
      ? []
      : [
          {
            path: ['strategy', 'steps', index],
            message: `expected more than the ${before} percent before, found ${percent}`,
          },
        ]
  })
}

function timings({ schedules = {} }: Written): Mistake[] {
  return Object.entries(schedules).flatMap(([task, { every, cron, timeZone }]) => {
    const read = readTiming({
      ...(every !== undefined && { every }),
      ...(cron !== undefined && { cron }),
      ...(timeZone !== undefined && { timeZone }),
    })
    return 'mistake' in read ? [{ path: ['schedules', task, read.field], message: read.mistake }] : []
  })
}

function routesLead(written: Written): Mistake[] {
  const known = new Map<string, number>()
  return (written.routes ?? []).flatMap(({ host, path = '/', port }, index) => {
    const mistakes = unknownPort(written, routePort(written, port), port)
    const first = known.get(`${host}${path}`)
    known.set(`${host}${path}`, index)
    if (first !== undefined) mistakes.push(`expected a host and path of its own, found those of routes[${first}]`)
    const place = port === undefined || first !== undefined ? [] : ['port']
    return mistakes.map(message => ({ path: ['routes', index, ...place], message }))
  })
}

function filesInFiles({ files = {} }: WrittenProcess): Mistake[] {
  const paths = Object.keys(files)
  return paths.flatMap(path => {
    const inside = paths.find(other => other.startsWith(`${path}/`))
    return inside === undefined
      ? []
      : [{ path: ['files', path], message: `expected a file, found a folder: ${inside} is in it` }]
  })
}

function hooksExist({ notify = [] }: Written, team: Team | undefined): Mistake[] {
  if (team === undefined) return []
  const known = Object.keys(team.hooks)
  return notify.flatMap((hook, index) =>
    known.includes(hook)
      ? []
      : [
          {
            path: ['notify', index],
            message: `expected a hook of sampan.yml, found ${JSON.stringify(hook)}; ${suggestion(hook, known)}`,
          },
        ],
  )
}
