// `sampan dev [NAME...]`: brings each change of services to where they run, until Ctrl-C. Their logs are one stream, their
// ports are ports of this machine; at the end the cluster is as it was.
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { chosenServices } from '../chosen-services.ts'
import type { DeliverySettings } from '../deliveries.ts'
import { deliveryOf, type DeliveryOf } from '../delivery-of.ts'
import { DevelopedService, developmentVersion } from '../developed-service.ts'
import { findManifest } from '../find-manifest.ts'
import { findTeam } from '../find-team.ts'
import { watchForInterruption } from '../interruption.ts'
import { NewRooms } from '../new-rooms.ts'
import { CommandFailure, Output } from '../output.ts'
import { openTarget, settingOf, type TargetOptions } from '../target.ts'

export interface DevOptions extends Omit<TargetOptions, 'environment'>, DeliverySettings {
  readonly environment?: string
  readonly file?: string
  /** What runs at the end stays. */
  readonly keep?: boolean
  /** Port for a debugger, of the first service; those of the others follow. */
  readonly inspect?: number
}

const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

export async function dev(names: readonly string[], options: DevOptions): Promise<void> {
  const output = new Output()
  const { inspect, ...settings } = options
  const environment = options.environment ?? usualEnvironment(names, options.file)
  const setting = settingOf({ environment })
  const chosen = await chosenServices(
    namesOf(names, setting.team !== undefined).map(name => `${name}:${developmentVersion}`),
    setting,
    options,
  )
  const target = openTarget({ ...options, environment }, setting)
  const whatStays = `what runs stays; take it back with: sampan rollback -e ${environment} ${chosen.map(({ name }) => name).join(' ')}`
  const interruption = watchForInterruption(
    output,
    whatStays,
    options.keep ? 'ending; what runs stays' : 'ending, and going back to how it was before',
  )
  try {
    const width = Math.max(...chosen.map(({ name }) => name.length))
    const services = chosen.map(
      (service, index) =>
        new DevelopedService(
          service,
          target,
          {
            ...settings,
            label: label(service.name, { width, colour: colours[index % colours.length]!, several: chosen.length > 1 }),
            ...(inspect !== undefined && { inspect: inspect + index }),
          },
          output,
        ),
    )
    const keys = listenForEnter(() => services.forEach(service => service.restart()))
    for (const service of services) await service.mustBeFree()
    const rooms = new NewRooms(target)
    await rooms.prepare(services.map(({ namespace }) => namespace))
    const heard = endWhenNobodyListens()
    const running = Promise.all(services.map(service => service.run()))
    const stopAll = (): void => services.forEach(service => service.stop())
    interruption.signal.addEventListener('abort', stopAll, { once: true })
    if (interruption.signal.aborted) stopAll()
    try {
      await running
    } finally {
      keys.close()
      heard.close()
      stopAll()
    }
    if (options.keep) {
      output.line(whatStays)
      return
    }
    try {
      let isNothingLeft = true
      for (const service of services.toReversed()) isNothingLeft = (await service.end()) && isNothingLeft
      if (isNothingLeft) await rooms.remove(options.timeout)
    } catch (error) {
      output.line(whatStays)
      throw error
    }
  } finally {
    output.quiet()
    interruption.close()
    target.close()
    if (interruption.exitCode !== undefined) process.exitCode = 0
  }
}

/** As the app.yml of the first service, or sampan.yml, has it. */
function usualEnvironment([name]: readonly string[], given: string | undefined): string {
  const team = findTeam(process.cwd())?.team
  const own = name === undefined ? deliveryOf(process.cwd()) : deliveryNamed(name, given)
  const known = [...Object.keys(team?.environments ?? {}), ...(own?.environments ?? [])]
  return ['dev', 'development', 'test'].find(each => known.includes(each)) ?? own?.environment ?? known[0] ?? 'dev'
}

/** undefined: it is not found, which is told later. */
function deliveryNamed(name: string, given: string | undefined): DeliveryOf | undefined {
  try {
    return deliveryOf(dirname(findManifest(name, given, process.cwd()).file))
  } catch {
    return undefined
  }
}

function namesOf(names: readonly string[], hasTeam: boolean): readonly string[] {
  if (names.length > 0) return names
  const own = deliveryOf(process.cwd())
  if (own !== undefined) return [own.service]
  if (hasTeam) return Object.keys(findTeam(process.cwd())!.team.services)
  throw new CommandFailure(
    `expected the NAME of a service, or an app.yml or sampan.yml in ${process.cwd()}; write a first one with: sampan init`,
  )
}

function label(name: string, { width, colour, several }: { width: number; colour: number; several: boolean }): string {
  if (!several) return ''
  const text = name.padEnd(width)
  return process.stdout.isTTY && process.env['NO_COLOR'] === undefined
    ? `\u001B[${colour}m${text}\u001B[0m `
    : `${text} `
}

/** Whoever closes the other end of a pipe has left, as whoever closes a terminal has. */
function endWhenNobodyListens(): { close(): void } {
  const streams = [process.stdout, process.stderr]
  const left = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') process.kill(process.pid, 'SIGHUP')
    // The end of it writes there, too.
    for (const stream of streams) stream.off('error', left)
  }
  for (const stream of streams) stream.on('error', left)
  return {
    close() {
      for (const stream of streams) stream.off('error', left)
    },
  }
}

/** Where somebody types. */
function listenForEnter(entered: () => void): { close(): void } {
  if (!process.stdin.isTTY) return { close() {} }
  const reading = createInterface({ input: process.stdin })
  reading.on('line', entered)
  return reading
}
