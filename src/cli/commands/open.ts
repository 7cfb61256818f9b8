// `sampan open -e ENVIRONMENT NAME`: where the service answers, and a browser on it. A way that only this command keeps
// open stays until Ctrl-C.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Engine } from '../../delivery/engine/engine.ts'
import type { Entrance, Place } from '../../delivery/engine/parts.ts'
import { servingRelease } from '../../delivery/serving-release.ts'
import type { Looked } from '../../delivery/service-state.ts'
import { placeOf } from '../environment-services.ts'
import { lookAt, withTarget } from '../looking.ts'
import { CommandFailure, Output } from '../output.ts'
import { stopSignal, untilStopped } from '../stop-signal.ts'
import type { TargetOptions } from '../target.ts'

export interface OpenOptions extends TargetOptions {
  readonly file?: string
  /** Only say where it is. */
  readonly print?: boolean
}

export async function openCommand(service: string, options: OpenOptions): Promise<void> {
  await withTarget(options, async target => {
    const place = placeOf(service, target, options.file)
    const [looked] = await lookAt(target, [place])
    const found = await lastingAddress(looked!, target.machine)
    if (found !== undefined) return show(found, options)
    await forwarded(looked!, target.engine, options)
  })
}

/** One that is there without this command. @param machine where ports of the machines are looked for */
export async function lastingAddress(
  { place, releases, observed }: Looked,
  machine: string,
  answers: (host: string, port: number) => Promise<boolean> = doesAnswer,
): Promise<string | undefined> {
  const route = observed.routes.find(({ served }) => served)
  if (route !== undefined) return `http://${route.host}${route.path}`
  const present = releases.find(({ state }) => state === 'deployed')
  const entrance = present?.parts.find(
    (part): part is Entrance => part.kind === 'entrance' && part.name === place.service,
  )
  const external = entrance?.ports.find(port => port.external !== undefined)?.external
  if (external === undefined || !(await answers(machine, external))) return undefined
  return `http://${machine.includes(':') ? `[${machine}]` : machine}:${external}/`
}

const patienceMs = 2_000

async function doesAnswer(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patienceMs) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function forwarded({ place, releases }: Looked, engine: Engine, options: OpenOptions): Promise<void> {
  const port = portOf(place, releases)
  const { workload, number } = port
  const stop = stopSignal()
  const way = await engine.reach(place, { workload, port: number })
  try {
    show(`http://${way.host}:${way.port}/`, options)
    new Output().line(`this leads to port ${number} of ${workload} until Ctrl-C`)
    await untilStopped(stop, () => stopped(stop.signal))
  } finally {
    way.close()
  }
}

function portOf(place: Place, releases: Looked['releases']): { readonly workload: string; readonly number: number } {
  const present = releases.find(({ state }) => state === 'deployed')
  const { workload } = servingRelease(place, { present })
  const port = workload.ports.find(({ protocol }) => protocol === 'TCP')
  if (port !== undefined) return { workload: workload.name, number: port.port }
  throw new CommandFailure(`"${place.service}" has no ports to open; give it some in app.yml: ports: { http: 3000 }`)
}

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    // A signal alone does not keep the process alive.
    const alive = setInterval(() => {}, 3_600_000)
    signal.addEventListener('abort', () => {
      clearInterval(alive)
      resolve()
    })
  })

function show(url: string, { print }: OpenOptions): void {
  console.log(url)
  if (print) return
  const program = browserProgram(process.platform, process.env)
  if (program === undefined) return
  const browser = spawn(program, [url], { stdio: 'ignore', detached: true })
  // There is no browser; the address is told.
  browser.on('error', () => {})
  browser.unref()
}

/** undefined: there is no screen for one. */
export function browserProgram(platform: string, environment: NodeJS.ProcessEnv): string | undefined {
  if (platform === 'darwin') return 'open'
  const hasScreen = (environment['DISPLAY'] ?? environment['WAYLAND_DISPLAY'] ?? '') !== ''
  return hasScreen ? 'xdg-open' : undefined
}
