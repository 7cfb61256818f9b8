// `sampan dev [NAME...]`: brings each change of services to where they run, until Ctrl-C. Their logs are one stream, their
// ports are ports of this machine; at the end the cluster is as it was.
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { deploy, placeOf } from '../../delivery/deploy.ts'
import type { DeliveryOptions } from '../../delivery/delivering.ts'
import { endDevelopment } from '../../delivery/end-development.ts'
import { situationOf } from '../../delivery/history.ts'
import type { Manifest } from '../../delivery/manifest/manifest.ts'
import { readManifest } from '../../delivery/manifest/read-manifest.ts'
import { agentFor, withAgent } from '../../develop/agent-layer.ts'
import { ChangeDetector } from '../../develop/change-detector.ts'
import { developmentManifest } from '../../develop/development-manifest.ts'
import { lastingWay, type LastingWay } from '../../develop/lasting-way.ts'
import { DevelopmentSession, type MadeImage, type SessionReport } from '../../develop/session.ts'
import { watchFiles, type FileWatch } from '../../develop/watch-files.ts'
import { buildImage } from '../../images/build/build-image.ts'
import { serviceUser } from '../../images/build/layers/base-layer.ts'
import { runStep } from '../../images/build/run-tool.ts'
import { chosenServices, type ChosenService } from '../chosen-services.ts'
import { deliveryOptions, deploymentOf, type DeliverySettings } from '../deliveries.ts'
import { deliveryOf, repositoryOf } from '../delivery-of.ts'
import { findTeam } from '../find-team.ts'
import { readManifestFile } from '../find-manifest.ts'
import { imageMaking } from '../image-making.ts'
import { watchForInterruption } from '../interruption.ts'
import { CommandFailure, Output } from '../output.ts'
import { readProjectIn } from '../project-in.ts'
import { openTarget, settingOf, type Target, type TargetOptions } from '../target.ts'

export interface DevOptions extends Omit<TargetOptions, 'environment'>, DeliverySettings {
  readonly environment?: string
  readonly file?: string
  /** What runs at the end stays. */
  readonly keep?: boolean
  /** Port for a debugger, of the first service; those of the others follow. */
  readonly inspect?: number
}

const version = 'dev'
const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

export async function dev(names: readonly string[], options: DevOptions): Promise<void> {
  const output = new Output()
  const environment = options.environment ?? usualEnvironment()
  const setting = settingOf({ environment })
  const chosen = await chosenServices(
    namesOf(names, setting.team !== undefined).map(name => `${name}:${version}`),
    setting,
    options,
  )
  const target = openTarget({ ...options, environment }, setting)
  const interruption = watchForInterruption(
    output,
    `what runs stays; take it back with: sampan rollback -e ${environment} ${chosen.map(({ name }) => name).join(' ')}`,
    options.keep ? 'ending; what runs stays' : 'ending, and going back to how it was before',
  )
  try {
    const width = Math.max(...chosen.map(({ name }) => name.length))
    const services = chosen.map(
      (service, index) =>
        new DevelopedService(service, target, options, output, {
          label: label(service.name, { width, colour: colours[index % colours.length]!, several: chosen.length > 1 }),
          ...(options.inspect !== undefined && { inspect: options.inspect + index }),
        }),
    )
    const keys = listenForEnter(() => services.forEach(service => service.restart()))
    for (const service of services) await service.mustBeFree()
    const running = Promise.all(services.map(service => service.run()))
    const stopAll = (): void => services.forEach(service => service.stop())
    interruption.signal.addEventListener('abort', stopAll, { once: true })
    try {
      await running
    } finally {
      keys.close()
      stopAll()
    }
    if (options.keep) {
      output.line(
        `what runs stays until its instances are replaced; they get what was changed in the meantime with: sampan build, and sampan deploy -e ${environment}`,
      )
      return
    }
    for (const service of services.toReversed()) await service.end()
  } finally {
    output.quiet()
    interruption.close()
    target.close()
    if (interruption.exitCode !== undefined) process.exitCode = 0
  }
}

/** As app.yml, or sampan.yml, has it. */
function usualEnvironment(): string {
  const team = findTeam(process.cwd())?.team
  const known = Object.keys(team?.environments ?? {})
  const own = deliveryOf(process.cwd())?.environment
  return ['dev', 'development', 'test'].find(name => known.includes(name)) ?? own ?? known[0] ?? 'dev'
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

/** Where somebody types. */
function listenForEnter(entered: () => void): { close(): void } {
  if (!process.stdin.isTTY) return { close() {} }
  const reading = createInterface({ input: process.stdin })
  reading.on('line', entered)
  return reading
}

class DevelopedService {
  private readonly chosen: ChosenService
  private readonly target: Target
  private readonly options: DevOptions
  private readonly output: Output
  private readonly label: string
  private readonly inspect: number | undefined
  private readonly directory: string
  private readonly session: DevelopmentSession
  private readonly detector: ChangeDetector
  private readonly inputs: readonly string[]
  private readonly ways: LastingWay[] = []
  private readonly told = new Set<string>()
  private watch: FileWatch | undefined

  constructor(
    chosen: ChosenService,
    target: Target,
    options: DevOptions,
    output: Output,
    { label: shown, inspect }: { readonly label: string; readonly inspect?: number },
  ) {
    this.chosen = chosen
    this.target = target
    this.options = options
    this.output = output
    this.label = shown
    this.inspect = inspect
    const file = resolve(chosen.file)
    this.directory = dirname(file)
    const { build, dev: development } = chosen.manifest
    const { builder } = readProjectIn(this.directory, build)
    this.inputs = [...new Set([...(builder.inputs?.(this.directory) ?? [this.directory]), file])]
    const way = development.reload === 'image' ? undefined : builder.development?.(this.directory, build)
    const steps =
      development.build === undefined ? way?.steps : [{ directory: this.directory, command: development.build }]
    const how = way && { ...way, steps: steps ?? [] }
    const watched = {
      directory: this.directory,
      manifest: file,
      inputs: this.inputs,
      development: how,
      output: build.output,
    }
    this.detector = new ChangeDetector(watched)
    this.session = new DevelopmentSession({
      engine: target.engine,
      clock: options.clock,
      place: this.place(),
      manifest: file,
      development: how,
      restarts: development.reload === 'restart',
      work: {
        build: name => this.build(name),
        deliver: (image, signal) => this.deliver(image, signal),
        step: step => runStep(step, process.execPath),
      },
      report: this.report(),
    })
  }

  /** Two who bring their changes to one container would not know what runs. @throws CommandFailure */
  async mustBeFree(): Promise<void> {
    const { isGone, deployer } = this.delivery(new AbortController().signal)
    const { present } = await situationOf(this.target.engine, this.place())
    if (present?.development !== true || present.by === deployer || isGone(present.by)) return
    const text = `${present.by} works on ${this.chosen.name} in ${this.target.environment}`
    if (isOfThisMachine(present.by, deployer))
      throw new CommandFailure(
        `${text}; end that first, or take it back with: sampan rollback -e ${this.target.environment} ${this.chosen.name}`,
      )
    this.output.warn(`${text}, or has left it; what runs is taken over`)
  }

  async run(): Promise<void> {
    let looking = Promise.resolve()
    this.watch = watchFiles(
      this.inputs,
      () => {
        looking = looking
          .then(async () => this.session.changed(await this.detector.changes()))
          .catch((error: Error) => this.output.error(`${this.label}${error.message}`))
      },
      text => this.output.warn(`${this.label}${text}`),
    )
    await this.openPorts()
    await this.session.run()
    this.watch.close()
    for (const way of this.ways) way.close()
  }

  restart(): void {
    this.session.restart()
  }

  stop(): void {
    this.session.stop()
  }

  async end(): Promise<void> {
    const delivery = this.delivery(new AbortController().signal)
    const ended = await endDevelopment(this.place(), delivery)
    const { name } = this.chosen
    const { environment } = this.target
    if (ended.state === 'back')
      this.output.line(`${name} is release ${ended.revision} (${ended.version}) in ${environment} as before`)
    if (ended.state === 'gone')
      this.output.line(
        `${name} is gone from ${environment} as before${ended.kept.length === 0 ? '' : `; the data of ${ended.kept.join(', ')} stays`}`,
      )
  }

  private place(): ReturnType<typeof placeOf> {
    return placeOf({ manifest: this.chosen.manifest, environment: this.target.environment })
  }

  private report(): SessionReport {
    const { output, label: shown } = this
    return {
      line: ({ text }) => {
        output.quiet()
        process.stdout.write(`${shown}${text}\n`)
      },
      done: text => output.done(`${shown}${text}`),
      working: text => output.working(`${shown}${text}`),
      trouble: text => output.error(`${shown}${text}`),
    }
  }

  private delivery(signal: AbortSignal): DeliveryOptions {
    const { report, ...rest } = deliveryOptions(this.target, this.options, this.output, signal)
    return {
      ...rest,
      development: true,
      report: {
        // What a delivery does is of interest only while it is waited for.
        step: () => {},
        waiting: text => report.waiting(`${this.label}${text}`),
        note: text => {
          // Each delivery says it anew.
          if (this.told.has(text)) return
          this.told.add(text)
          report.note(`${this.label}${text}`)
        },
        warning: text => report.warning(`${this.label}${text}`),
      },
    }
  }

  /** As the file is now. */
  private manifest(): Manifest {
    const { file, text } = readManifestFile(resolve(this.chosen.file))
    return readManifest(file, text, this.target.environment, this.target.team)
  }

  private async build(build: string): Promise<MadeImage> {
    const manifest = this.manifest()
    const { builder } = readProjectIn(this.directory, manifest.build)
    const repository = repositoryOf(manifest)
    if (repository === undefined)
      throw new CommandFailure(
        `${this.chosen.name} is delivered from ${manifest.image}; sampan dev pushes to the cluster's own registry alone, so leave out image and registry for ${this.target.environment}`,
      )
    const hosting = await this.target.registry()
    if (hosting === undefined)
      throw new CommandFailure(
        `the cluster "${this.target.engine.name}" has no registry of its own, to which sampan dev could push`,
      )
    const making = imageMaking(
      { working: text => this.output.working(`${this.label}${text}`), done: () => {} },
      `building ${repository}`,
    )
    const agent = await agentFor(builder.name === 'node' && manifest.build.base === undefined, making.nodeBinary)
    await buildImage({
      ...making,
      directory: this.directory,
      builder,
      settings: manifest.build,
      repository,
      tag: version,
      registry: hosting.host,
      owner: serviceUser.id,
      finish: {
        key: `agent ${build}`,
        add: (content, cache) => withAgent(content, agent, build, cache),
      },
      note: text => this.output.line(`${this.label}note: ${text}`),
    })
    return { agent: agent.command }
  }

  private async deliver({ agent }: MadeImage, signal: AbortSignal): Promise<void> {
    const manifest = developmentManifest(this.manifest(), {
      agent,
      ...(this.inspect !== undefined && { inspect: `127.0.0.1:${this.inspect}` }),
    })
    const delivery = this.delivery(signal)
    const deployment = deploymentOf(this.target, { manifest, file: this.chosen.file }, version, {
      ...this.options,
      report: delivery.report,
      builds: false,
    })
    await deploy(deployment, delivery)
  }

  private async openPorts(): Promise<void> {
    const { manifest, name } = this.chosen
    const numbers = [
      ...manifest.ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port),
      ...(this.inspect === undefined ? [] : [this.inspect]),
    ]
    for (const port of numbers) {
      const way = await lastingWay(this.target.engine, this.place(), { workload: name, port })
      this.ways.push(way)
      const taken = way.port === port ? '' : `, because ${port} is taken on this machine`
      this.output.line(
        port === this.inspect
          ? `${this.label}a debugger is waited for at 127.0.0.1:${way.port}${taken}`
          : `${this.label}http://localhost:${way.port} leads to port ${port} of ${name}${taken}`,
      )
    }
  }
}

/** `root@host (process 17)` */
const isOfThisMachine = (name: string, own: string): boolean => machineOf(name) === machineOf(own)
const machineOf = (name: string): string | undefined => /@(\S+) \(process \d+\)$/.exec(name)?.[1]
