// From a manifest, a version and what there is to the steps that bring it there. Pure: the same input gives the same
// plan, and each step says how it is undone.
import type { Observation, Sharing } from '../engine/engine.ts'
import type { Part, PartName, Process, Route, Run, Share, Sidecar } from '../engine/parts.ts'
import type { Command, Manifest } from '../manifest/manifest.ts'
import type { PlannedRelease, Release, ReleaseMigration } from '../release.ts'
import { bundlesOf, type Materials, type ServiceMaterial } from './materials.ts'
import {
  entranceOf,
  otherColour,
  previewOf,
  routesOf,
  schedulesOf,
  serverParts,
  workloadName,
  workloadOf,
  type Parts,
  type Track,
} from './parts-of.ts'
import { PlanBuilder } from './plan-builder.ts'
import { processOf, sidecarsOf } from './process-of.ts'
import { instancesFor, shareText } from './share-of.ts'
import type { RunStep, StepFacts } from './step.ts'
import {
  brief,
  bringAspects,
  instancesText,
  instancesToCome,
  leadingTo,
  migrateStep,
  notifySteps,
  removeRest,
  rolloutFacts,
  serviceStep,
  servingWorkload,
  switchFacts,
} from './usual-steps.ts'
import { passingEntrances, weighedRoutes, weighingOf } from './weighing.ts'

export interface DeploymentInput {
  readonly manifest: Manifest
  readonly version: string
  readonly revision: number
  readonly materials: Materials
  /** The release that runs now. */
  readonly present: Release | undefined
  readonly observed: Observation
  readonly sharing: Sharing['by']
  /** For instances to come. */
  readonly timeLimitSeconds: number
}

export function planDeployment(input: DeploymentInput): PlannedRelease {
  const planner = new DeploymentPlanner(input)
  return planner.plan()
}

class DeploymentPlanner {
  private readonly input: DeploymentInput
  private readonly builder: PlanBuilder
  private readonly process: Process
  private readonly beside: readonly Sidecar[]

  constructor(input: DeploymentInput) {
    this.input = input
    this.builder = new PlanBuilder(input.present?.parts ?? [])
    const { manifest, version, materials } = input
    this.process = processOf(manifest, version, materials)
    this.beside = sidecarsOf(manifest, version, materials)
  }

  plan(): PlannedRelease {
    const { manifest, version, revision, materials, present } = this.input
    const { builder } = this
    for (const material of materials.services) this.service(material)
    const migration = this.migration()
    if (migration !== undefined) {
      const { up, down, version: printed, irreversible } = migration
      const title = `migrate the schema: ${brief(up.process.command)}`
      const back = irreversible ? undefined : down
      builder.add(migrateStep({ id: 'migrate', title, forward: up, back, version: printed }))
    }
    const kept = this.instances()
    bringAspects(builder, manifest.name, {
      schedules: schedulesOf(manifest, this.parts),
      routes: routesOf(manifest, materials.logins),
    })
    builder.add(this.check('after', manifest.checks.after, manifest.name))
    removeRest(builder, manifest.name, [...kept, ...this.servers()])
    builder.add(...notifySteps(manifest.notify))
    return {
      version,
      image: this.process.image,
      parts: builder.there,
      bundles: [...new Set([...bundlesOf(materials).map(({ name }) => name), ...bundlesIn(builder.there)])],
      needs: materials.services.map(({ need }) => need),
      notify: manifest.notify,
      ...(migration !== undefined && { migration }),
      schema: [...(present?.schema ?? []), ...(migration === undefined ? [] : [revision])],
      steps: builder.steps,
    }
  }

  private get parts(): Parts {
    return { version: this.input.version, process: this.process, beside: this.beside }
  }

  private service(material: ServiceMaterial): void {
    const { manifest, timeLimitSeconds } = this.input
    const { type } = material.need
    const parts = serverParts(manifest.name, material)
    if (parts !== undefined)
      this.builder.bring(
        {
          id: `${type}-server`,
          title: `start the ${type} server ${parts[0].name}`,
          doneWhen: 'it answers its health check',
          undo: 'the server as it was before; one that is new is removed',
          timeLimitSeconds,
        },
        parts,
      )
    this.builder.add(serviceStep(material.need))
  }

  private servers(): PartName[] {
    const { manifest, materials } = this.input
    return materials.services.flatMap(material => serverParts(manifest.name, material) ?? [])
  }

  private migration(): ReleaseMigration | undefined {
    const { migrate } = this.input.manifest
    if (migrate === undefined) return undefined
    const run = (id: string, command: readonly string[]): Run => this.run(id, { ...migrate, command })
    return {
      up: run('migrate', migrate.up),
      ...(migrate.down !== undefined && { down: run('migrate-down', migrate.down) }),
      ...(migrate.version !== undefined && { version: run('schema', migrate.version) }),
      irreversible: migrate.irreversible,
    }
  }

  /** @returns the workloads that stay */
  private instances(): PartName[] {
    const { strategy } = this.input.manifest
    switch (strategy.kind) {
      case 'blue-green':
        return this.blueGreen()
      case 'canary':
        return this.canary()
      case 'rolling':
      case 'recreate':
        this.candidate()
        return this.main()
    }
  }

  /** @param remark behind the title of its step */
  private main(remark = ''): PartName[] {
    const { manifest, observed, timeLimitSeconds } = this.input
    const main = workloadOf(manifest, this.parts, 'main', manifest.replicas)
    const facts = rolloutFacts(main, observed, timeLimitSeconds)
    this.builder.bring({ ...facts, title: `${facts.title}${remark}` }, [main])
    const entrance = entranceOf(manifest, 'serving')
    if (entrance !== undefined) this.builder.bring(switchFacts(entrance), [entrance])
    return entrance === undefined ? [main] : [main, entrance]
  }

  /** Looked at before it gets requests; gone before others come. */
  private candidate(): void {
    const { manifest, timeLimitSeconds } = this.input
    const { before } = manifest.checks
    if (before === undefined) return
    const parts = [workloadOf(manifest, this.parts, 'candidate', 1), previewOf(manifest, 'candidate')].filter(
      part => part !== undefined,
    )
    this.builder.bring(
      {
        id: 'candidate',
        title: 'start an instance that gets no requests',
        doneWhen: 'it is ready',
        undo: 'it is stopped',
        timeLimitSeconds,
      },
      parts,
    )
    this.builder.add(this.check('before', before, parts[0]!.name))
    this.builder.bring(
      { id: 'candidate-end', title: 'stop that instance', doneWhen: 'it is gone', undo: 'nothing', timeLimitSeconds },
      [],
      parts,
    )
  }

  private blueGreen(): PartName[] {
    const { manifest, observed, timeLimitSeconds } = this.input
    const { before } = manifest.checks
    const old = servingWorkload(this.builder.there, manifest.name)
    const track: Track = old === undefined ? 'blue' : otherColour(old.track)
    const workload = workloadOf(manifest, this.parts, track, manifest.replicas)
    const preview = before === undefined ? undefined : previewOf(manifest, track)
    this.builder.bring(
      {
        ...rolloutFacts(workload, observed, timeLimitSeconds),
        id: 'colour',
        title: `start ${instancesText(instancesToCome(workload, observed))} beside the old ones (${track})`,
        undo: 'they are stopped; what had that colour before comes back',
      },
      preview === undefined ? [workload] : [workload, preview],
    )
    if (before !== undefined) this.builder.add(this.check('before', before, preview?.name ?? workload.name))
    const entrance = entranceOf(manifest, { track })
    if (entrance !== undefined) this.builder.bring(switchFacts(entrance), [entrance])
    return [workload, entrance, old].filter(part => part !== undefined)
  }

  private canary(): PartName[] {
    const { manifest, timeLimitSeconds, observed, sharing } = this.input
    const { strategy } = manifest
    this.candidate()
    const main = this.builder.there.find(part => part.kind === 'workload' && part.track === 'main')
    if (!leadingTo(this.builder.there, manifest.name, 'serving'))
      return this.main(' at once: a share of the requests cannot be had beside a colour')
    if (strategy.kind !== 'canary' || main === undefined) return this.main()
    const seen = observed.workloads.find(({ name }) => name === main.name)
    const besideInstances = seen?.wanted ?? manifest.replicas
    const weighing = sharing === 'weights' ? weighingOf(manifest, this.builder.there) : undefined
    strategy.steps.forEach(({ percent, seconds }, index) => {
      const number = index + 1
      const share: Share = { percent, beside: main.name, besideInstances, ...(weighing && { weighed: true }) }
      const instances = instancesFor(share, besideInstances)
      const usual = workloadOf(manifest, this.parts, 'canary', instances)
      const canary = { ...usual, share, ...(weighing && { serving: false }) }
      const entrances = weighing === undefined || index > 0 ? [] : [weighing.main, weighing.canary]
      const asked = weighing?.canary.name ?? manifest.name
      this.builder.bring(
        {
          ...rolloutFacts(canary, observed, timeLimitSeconds),
          id: `canary-${number}`,
          title: `give ${shareText(canary, share)} of the requests to ${instancesText(instances, 'new ')}${
            seen?.autoscaled ? `, or as many as make ${percent} % beside what an autoscaler decides` : ''
          }`,
          undo: index === 0 ? 'they are stopped' : 'as many as before',
        },
        [...entrances, canary, ...(weighing === undefined ? [] : weighedRoutes(weighing, percent))],
      )
      const { maxRestarts, run, queries } = strategy.analysis
      this.builder.add({
        kind: 'analyse',
        id: `canary-${number}-analysis`,
        title: `watch them for ${seconds} s`,
        doneWhen: 'the time has passed and nothing was found',
        undo: 'nothing',
        timeLimitSeconds: seconds + (run?.timeLimitSeconds ?? 0) + analysisSeconds,
        workload: canary.name,
        share,
        seconds,
        maxRestarts,
        ...(run !== undefined && { run: this.run(`analysis-${number}`, run, asked) }),
        queries,
      })
    })
    const kept = this.main()
    this.builder.bring(
      {
        id: 'canary-end',
        title: weighing === undefined ? 'stop the instances beside' : `${goingBack}, and stop the instances beside`,
        doneWhen: 'they are gone',
        undo: 'they are started again',
        timeLimitSeconds,
      },
      weighing?.routes ?? [],
      [
        { kind: 'workload', name: workloadName(manifest.name, 'canary') },
        ...(weighing === undefined ? [] : passingEntrances(weighing)),
      ],
    )
    return kept
  }

  private check(when: 'before' | 'after', command: Command | undefined, target: string): RunStep | undefined {
    if (command === undefined) return undefined
    const facts: StepFacts = {
      id: `check-${when}`,
      title: `check ${when === 'before' ? 'the new version before it gets requests' : 'what runs now'}: ${brief(command.command)}`,
      doneWhen: 'it has ended with 0',
      undo: 'nothing, it changes nothing',
      timeLimitSeconds: command.timeLimitSeconds,
    }
    return { ...facts, kind: 'run', run: this.run(`check-${when}`, command, target) }
  }

  /** @param target name of the entrance that it is to ask */
  private run(id: string, { command, timeLimitSeconds }: Command, target?: string): Run {
    const { manifest, version, revision } = this.input
    const port = manifest.ports[0]?.port
    const variables = {
      ...this.process.variables,
      SAMPAN_RELEASE: { value: String(revision) },
      ...(target !== undefined &&
        port !== undefined && {
          SAMPAN_TARGET_HOST: { value: target },
          SAMPAN_TARGET_PORT: { value: String(port) },
          SAMPAN_TARGET_URL: { value: `http://${target}:${port}` },
        }),
    }
    return {
      name: `${manifest.name}-r${revision}-${id}`,
      service: manifest.name,
      version,
      process: { ...this.process, command, variables },
      timeLimitSeconds,
    }
  }
}

const analysisSeconds = 30
const goingBack = 'lead all requests of routes to the instances'

function bundlesIn(parts: readonly Part[]): string[] {
  return parts.flatMap(part => {
    if (part.kind === 'route') return bundlesOfRoute(part)
    const beside = part.kind === 'workload' ? (part.beside ?? []) : []
    const processes = 'process' in part ? [part, ...beside].map(({ process }) => process) : []
    return processes.flatMap(bundlesOfProcess)
  })
}

const bundlesOfRoute = ({ access }: Route): string[] =>
  access?.authentication?.kind === 'login' ? [access.authentication.secret ?? []].flat() : []

/** Also names of what is no bundle: dropping goes by what the engine lists as bundles. */
const bundlesOfProcess = ({ variables, files }: Process): string[] => [
  ...Object.values(variables).flatMap(value =>
    'secret' in value ? [value.secret] : 'configuration' in value ? [value.configuration] : [],
  ),
  ...files.map(({ bundle }) => bundle),
]
