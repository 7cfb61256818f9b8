// One service that `sampan dev` brings to where it runs: from its files, its app.yml and the team's sampan.yml, as they
// are at each moment, to images, deliveries, and ports of this machine. What happens when is src/develop's to say.
import { dirname, join, resolve } from 'node:path'
import { deploy, placeOf } from '../delivery/deploy.ts'
import type { DeliveryOptions } from '../delivery/delivering.ts'
import { endDevelopment, type DevelopmentEnd } from '../delivery/end-development.ts'
import { isWorkedOn, situationOf } from '../delivery/history.ts'
import { ManifestError } from '../delivery/manifest/manifest-error.ts'
import type { Manifest } from '../delivery/manifest/manifest.ts'
import { readManifest } from '../delivery/manifest/read-manifest.ts'
import { agentFor, withAgent } from '../develop/agent-layer.ts'
import { ChangeDetector } from '../develop/change-detector.ts'
import { developmentManifest } from '../develop/development-manifest.ts'
import { OpenPorts } from '../develop/open-ports.ts'
import { DevelopmentSession, type MadeImage, type SessionReport } from '../develop/session.ts'
import { watchFiles } from '../develop/watch-files.ts'
import { buildImage } from '../images/build/build-image.ts'
import { serviceUser } from '../images/build/layers/service-user.ts'
import { runStep } from '../images/build/run-tool.ts'
import type { ChosenService } from './chosen-services.ts'
import { deliveryOptions, deploymentOf, type DeliverySettings } from './deliveries.ts'
import { repositoryOf } from './delivery-of.ts'
import { readManifestFile } from './find-manifest.ts'
import { findTeam, teamFileName } from './find-team.ts'
import { imageMaking } from './image-making.ts'
import { CommandFailure, type Output } from './output.ts'
import { readProjectIn } from './project-in.ts'
import { settingOf, type Target } from './target.ts'

/** Of what is worked on. */
export const developmentVersion = 'dev'

export interface DevelopedOptions extends DeliverySettings {
  /** What runs at the end stays. */
  readonly keep?: boolean
  /** Stands before what is said of it. */
  readonly label: string
  /** Port for a debugger. */
  readonly inspect?: number
}

export class DevelopedService {
  private readonly chosen: ChosenService
  private readonly target: Target
  private readonly options: DevelopedOptions
  private readonly output: Output
  private readonly file: string
  private readonly directory: string
  private readonly inputs: readonly string[]
  private readonly session: DevelopmentSession
  private readonly detector: ChangeDetector
  private readonly ports: OpenPorts
  private readonly told = new Set<string>()
  /** Revision of the release that ran before. */
  private before: number | undefined

  constructor(chosen: ChosenService, target: Target, options: DevelopedOptions, output: Output) {
    this.chosen = chosen
    this.target = target
    this.options = options
    this.output = output
    this.file = resolve(chosen.file)
    this.directory = dirname(this.file)
    const { build, dev: development } = chosen.manifest
    const { builder } = readProjectIn(this.directory, build)
    const manifests = [this.file, ...(target.team === undefined ? [] : [join(target.folder, teamFileName)])]
    this.inputs = [...new Set([...(builder.inputs?.(this.directory) ?? [this.directory]), ...manifests])]
    const way = development.reload === 'image' ? undefined : builder.development?.(this.directory, build)
    const steps =
      development.build === undefined ? way?.steps : [{ directory: this.directory, command: development.build }]
    const how = way && { ...way, steps: steps ?? [] }
    this.detector = new ChangeDetector({
      directory: this.directory,
      manifests,
      inputs: this.inputs,
      development: how,
      output: build.output,
    })
    this.ports = new OpenPorts({
      engine: target.engine,
      place: this.place(),
      ...(options.inspect !== undefined && { inspect: options.inspect }),
      said: text => output.line(`${options.label}${text}`),
    })
    this.session = new DevelopmentSession({
      engine: target.engine,
      clock: options.clock,
      place: this.place(),
      manifests,
      development: how,
      restarts: development.reload === 'restart',
      keep: options.keep === true,
      work: {
        build: (name, signal) => this.detector.whileBuilding(() => this.build(name, signal)),
        check: () => void this.manifest(),
        runsImage: () => this.manifest().migrate !== undefined,
        deliver: (image, signal) => this.deliver(image, signal),
        step: (step, signal) =>
          this.detector.whileBuilding(() => runStep(step, this.making(step.command.join(' ')), signal)),
        inPlaceOfIt: () => this.inPlaceOfIt(),
      },
      report: this.report(),
    })
  }

  get namespace(): string {
    return this.place().namespace
  }

  /** Two who bring their changes to one container would not know what runs. @throws CommandFailure */
  async mustBeFree(): Promise<void> {
    const { isGone, deployer } = this.delivery(new AbortController().signal)
    const { present } = await situationOf(this.target.engine, this.place())
    this.before = present?.revision
    if (present === undefined || !isWorkedOn(present) || present.by === deployer || isGone(present.by)) return
    const text = `${present.by} works on ${this.chosen.name} in ${this.target.environment}`
    if (isOfThisMachine(present.by, deployer))
      throw new CommandFailure(
        `${text}; end that first, or take it back with: sampan rollback -e ${this.target.environment} ${this.chosen.name}`,
      )
    this.output.warn(`${text}, or has left it; what runs is taken over`)
  }

  async run(): Promise<void> {
    let looking = Promise.resolve()
    const watch = watchFiles(
      this.inputs,
      () => {
        looking = looking
          .then(async () => this.session.changed(await this.detector.changes()))
          .catch((error: Error) => this.output.error(`${this.options.label}${error.message}`))
      },
      text => this.output.warn(`${this.options.label}${text}`),
    )
    await this.ports.open(this.chosen.manifest.ports)
    await this.session.run()
    watch.close()
    this.ports.close()
  }

  restart(): void {
    this.session.restart()
  }

  stop(): void {
    this.session.stop()
  }

  /** @returns whether nothing of it is left in its namespace */
  async end(): Promise<boolean> {
    const ended = await endDevelopment(this.place(), this.delivery(new AbortController().signal))
    this.output.line(this.endText(ended))
    return ended.state === 'gone' ? ended.kept.length === 0 : ended.state === 'untouched' && ended.present === undefined
  }

  private endText(ended: DevelopmentEnd): string {
    const { name } = this.chosen
    const { environment } = this.target
    if (ended.state === 'gone')
      return `${name} is gone from ${environment} as before${ended.kept.length === 0 ? '' : `; the data of ${ended.kept.join(', ')} stays`}`
    const present = ended.state === 'back' ? ended : ended.present
    if (present === undefined) return `${name} is not in ${environment}, as before`
    const which = `${name} is release ${present.revision} (${present.version}) in ${environment}`
    const isAsBefore = ended.state === 'back' || present.revision === this.before
    return isAsBefore ? `${which} as before` : `${which}, delivered by ${ended.present!.by} meanwhile`
  }

  private place(): ReturnType<typeof placeOf> {
    return placeOf({ manifest: this.chosen.manifest, environment: this.target.environment })
  }

  private report(): SessionReport {
    const { output } = this
    const { label } = this.options
    return {
      line: ({ text }) => {
        output.quiet()
        process.stdout.write(`${label}${text}\n`)
      },
      done: text => output.done(`${label}${text}`),
      working: text => output.working(`${label}${text}`),
      trouble: text => output.error(`${label}${text}`),
    }
  }

  private delivery(signal: AbortSignal): DeliveryOptions {
    const { label } = this.options
    const { report, ...rest } = deliveryOptions(this.target, this.options, this.output, signal)
    return {
      ...rest,
      development: true,
      report: {
        // What a delivery does is of interest only while it is waited for.
        step: () => {},
        waiting: text => report.waiting(`${label}${text}`),
        note: text => {
          // Each delivery says it anew.
          if (this.told.has(text)) return
          this.told.add(text)
          report.note(`${label}${text}`)
        },
        warning: text => report.warning(`${label}${text}`),
      },
    }
  }

  /** As the files are now. @throws ManifestError */
  private manifest(): Manifest {
    const { file, text } = readManifestFile(this.file)
    const manifest = readManifest(file, text, this.target.environment, findTeam(process.cwd())?.team)
    const { name } = this.chosen
    const { namespace } = this.place()
    if (manifest.name !== name) throw changed(file, 'name', name, manifest.name)
    if (manifest.namespace !== namespace) throw changed(file, 'namespace', namespace, manifest.namespace)
    return manifest
  }

  private making(doing: string): ReturnType<typeof imageMaking> {
    const working = (text: string): void => this.output.working(`${this.options.label}${text}`)
    return imageMaking({ working, done: () => {} }, doing)
  }

  private async build(build: string, signal: AbortSignal): Promise<MadeImage> {
    const manifest = this.manifest()
    const { label } = this.options
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
    const making = this.making(`building ${repository}`)
    const agent = await agentFor(builder.name === 'node' && manifest.build.base === undefined, making.nodeBinary)
    await buildImage({
      ...making,
      signal,
      directory: this.directory,
      builder,
      settings: manifest.build,
      repository,
      tag: developmentVersion,
      registry: hosting.host,
      owner: serviceUser.id,
      finish: {
        key: `agent ${build}`,
        add: (content, cache) => withAgent(content, agent, build, cache),
      },
      note: text => this.output.line(`${label}note: ${text}`),
    })
    return { agent: agent.command }
  }

  private async deliver({ agent }: MadeImage, signal: AbortSignal): Promise<void> {
    const { inspect } = this.options
    const ofUsers = this.manifest()
    const manifest = developmentManifest(ofUsers, {
      agent,
      ...(inspect !== undefined && { inspect: `127.0.0.1:${inspect}` }),
    })
    await this.ports.open(ofUsers.ports)
    const delivery = this.delivery(signal)
    const target = { ...this.target, ...settingOf(this.target) }
    const deployment = deploymentOf(target, { manifest, file: this.chosen.file }, developmentVersion, {
      ...this.options,
      report: delivery.report,
      builds: false,
    })
    await deploy(deployment, delivery)
  }

  private async inPlaceOfIt(): Promise<string | undefined> {
    const { deployer } = this.delivery(new AbortController().signal)
    const { present, pending } = await situationOf(this.target.engine, this.place())
    const runs = pending?.content ?? present
    const { name } = this.chosen
    const { environment } = this.target
    if (runs === undefined) return `somebody took ${name} away from ${environment}`
    if (isWorkedOn(runs) && runs.by === deployer) return undefined
    return `${runs.by} delivered ${name} ${runs.version} to ${environment} meanwhile (release ${runs.revision})`
  }
}

const changed = (file: string, field: string, expected: string, found: string): ManifestError =>
  new ManifestError(file, [
    {
      line: 1,
      field,
      message: `is "${found}" by now; sampan dev goes on with "${expected}": end it (Ctrl-C) and begin again`,
    },
  ])

/** `root@host (process 17)` */
const isOfThisMachine = (name: string, own: string): boolean => machineOf(name) === machineOf(own)
const machineOf = (name: string): string | undefined => /@(\S+) \(process \d+\)$/.exec(name)?.[1]
