// Backups of what a service has on a backing service, and the way back. Programs of the field run beside the server
// where Sampan made it: they are there, and in its version.
import { PassThrough, Writable, type Readable } from 'node:stream'
import { DeployError } from './deploy-error.ts'
import { delivering, type DeliveryOptions } from './delivering.ts'
import type { Engine } from './engine/engine.ts'
import type { Place } from './engine/parts.ts'
import { situationOf } from './history.ts'
import type { ServiceNeed } from './plan/step.ts'
import type { Release } from './release.ts'
import { nothingRuns } from './serving-release.ts'
import {
  ServiceFailure,
  type BackingService,
  type Reached,
  type RunTool,
  type Wanted,
} from './services/backing-service.ts'
import { knownOf, withServer, type ServerAccess } from './services/with-server.ts'

export interface DataWanted {
  readonly place: Place
  /** Type of the backing service; undefined: the only one. */
  readonly type?: string
}

/** @returns what was saved, in words */
export async function backupData(
  { place, type }: DataWanted,
  to: Writable,
  options: Pick<DeliveryOptions, 'engine' | 'service' | 'signal'>,
): Promise<string> {
  const need = needOf(place, type, (await situationOf(options.engine, place)).present)
  await atServer(need, place, options, (backing, server, wanted, runTool) =>
    backing.backup(server, wanted, to, runTool),
  )
  return wordsOf(need)
}

/** No delivery changes the schema meanwhile. */
export function restoreData({ place, type }: DataWanted, from: Readable, options: DeliveryOptions): Promise<string> {
  return delivering(place, options, async ({ situation }) => {
    const need = needOf(place, type, situation.present)
    await atServer(need, place, options, (backing, server, wanted, runTool) =>
      backing.restore(server, wanted, from, runTool),
    )
    return wordsOf(need)
  })
}

const wordsOf = ({ type, database, server }: ServiceNeed): string =>
  `${type} database ${database} on ${server.kind === 'managed' ? server.workload : server.host}`

/** @throws DeployError */
export function needOf(place: Place, type: string | undefined, present: Release | undefined): ServiceNeed {
  if (present === undefined) throw new DeployError(nothingRuns(place))
  const types = present.needs.map(need => need.type)
  const found = present.needs.filter(need => type === undefined || need.type === type)
  if (found.length === 1) return found[0]!
  const there = types.length === 0 ? 'no backing service' : types.join(', ')
  throw new DeployError(
    type === undefined && types.length > 1
      ? `"${place.service}" has ${there}; say which one is meant`
      : `"${place.service}" has ${there}${type === undefined ? '' : `, and no ${type}`} in ${place.environment}`,
  )
}

type DataWork = (backing: BackingService, server: Reached, wanted: Wanted, runTool?: RunTool) => Promise<void>

async function atServer(
  need: ServiceNeed,
  place: Place,
  { engine, service, signal }: Pick<DeliveryOptions, 'engine' | 'service' | 'signal'>,
  work: DataWork,
): Promise<void> {
  const access: ServerAccess = { engine, place, service }
  const { backing, administrator, wanted } = await knownOf(need, access)
  const { server } = need
  if (server.kind === 'external' || !backing.usesTools) return withServer(need, access, work)
  const instance = await instanceOf(place, server.workload, engine)
  // As programs beside the server reach it.
  const reached: Reached = { host: '127.0.0.1', port: server.port, administrator }
  await work(backing, reached, wanted, toolIn(instance, place, engine, signal))
}

async function instanceOf(place: Place, workload: string, engine: Engine): Promise<string> {
  const { workloads } = await engine.observe(place)
  const ready = workloads.find(({ name }) => name === workload)?.instances.find(instance => instance.ready)
  if (ready !== undefined) return ready.name
  throw new DeployError(
    `no instance of ${workload} is ready; look at it with: sampan ps -e ${place.environment} ${place.service}`,
  )
}

/** Programs that are not there. */
const notFound = [126, 127]

const toolIn =
  (instance: string, place: Place, engine: Engine, signal: AbortSignal): RunTool =>
  async ({ programs, arguments: args, variables, input, output, package: debianPackage }) => {
    for (const program of programs) {
      let words = ''
      const errors = new Writable({
        write(chunk: Buffer, _encoding, done) {
          words = `${words}${chunk.toString()}`.slice(-2000)
          done()
        },
      })
      // Before any byte of the input is used up: is it there?
      const there = await engine.exec(place, {
        instance,
        command: ['sh', '-c', 'command -v "$1"', 'sh', program],
        terminal: { output: discarded(), errors, raw: false, signal },
      })
      if (there !== 0) continue
      const code = await engine.exec(place, {
        instance,
        command: ['sh', '-c', toldInSecret(Object.keys(variables)), 'sh', program, ...args],
        terminal: { input: secretsFirst(variables, input), output: output ?? discarded(), errors, raw: false, signal },
      })
      if (code === 0) {
        if (output?.writableEnded === false) output.end()
        return
      }
      if (!notFound.includes(code))
        throw new ServiceFailure(`${program} in ${instance} ended with ${code}: ${words.trim() || 'it said nothing'}`)
    }
    throw new ServiceFailure(
      `${programs.join(' or ')} was not found in ${instance}; the image of the server is to have it (Debian's ${debianPackage})`,
    )
  }

const discarded = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })

/** A command line is seen by everybody on its machine: passwords come as the first lines of the input. */
export const toldInSecret = (names: readonly string[]): string =>
  [...names.map(name => `IFS= read -r ${name} || exit 1; export ${name}`), 'exec "$@"'].join('\n')

export function secretsFirst(variables: Readonly<Record<string, string>>, input: Readable | undefined): Readable {
  for (const [name, value] of Object.entries(variables))
    if (value.includes('\n')) throw new ServiceFailure(`the value of ${name} has lines, and only one can be told`)
  const all = new PassThrough()
  for (const value of Object.values(variables)) all.write(`${value}\n`)
  if (input === undefined) all.end()
  else {
    input.on('error', error => all.destroy(error))
    input.pipe(all)
  }
  return all
}
