// The door to a Kubernetes: parts become standard objects, written with server-side apply, and what there is of them is
// told in the words of the door. Nothing here decides what is done; each verb is a few requests that can be made again.
import { isAlreadyExists } from '../../../api/api-error.ts'
import type { Resource } from '../../../api/resource.ts'
import { cronJobs, namespaces, services } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import type { HttpClient } from '../../../client/http-client.ts'
import { unlessNotFound } from '../../../control/removal.ts'
import type { Clock } from '../../../lib/clock.ts'
import { InFlight } from '../../../lib/in-flight.ts'
import { DeployError } from '../../deploy-error.ts'
import type {
  CommandInInstance,
  Difference,
  Engine,
  Inability,
  LogLine,
  LogsWanted,
  Observation,
  RoomEnd,
  RunResult,
  Sharing,
  Terminal,
  Verdict,
  Watch,
  Way,
} from '../engine.ts'
import type { Ledger } from '../ledger.ts'
import type { Bundle, Entrance, Part, PartName, Place, Route, Run, Schedule, Workload } from '../parts.ts'
import type { Patience } from '../patience.ts'
import { apply } from './apply.ts'
import { execIn, runWithTerminal } from './attached.ts'
import { Bundles } from './bundles.ts'
import { compare } from './compare.ts'
import { Discovery } from './discovery.ts'
import { entranceObject } from './entrance-objects.ts'
import { inabilities, type Asked } from './inabilities.ts'
import { cronJobName, objectName } from './labels.ts'
import { observationsOf } from './observations-of.ts'
import { patiently } from './patiently.ts'
import { ifPermitted, isForbidden } from './permitted.ts'
import { reach } from './reach.ts'
import { jobOfRun, jobOfSchedule } from './run-object.ts'
import { removeNamespace, servicesIn } from './room.ts'
import { routeStyle, type GatewayName } from './route-style.ts'
import { Routes } from './routes.ts'
import { Runs } from './runs.ts'
import { isGuarded } from './schedule-guard.ts'
import { scheduleObject } from './schedule-objects.ts'
import { SecretLedger } from './secret-ledger.ts'
import { serviceLogs } from './service-logs.ts'
import type { TypedObject } from './typed-object.ts'
import { workloadObjects } from './workload-objects.ts'
import { Together } from './together.ts'
import { Workloads } from './workloads.ts'

/** Requests, and the streams that only a connection of its own can carry. */
export type EngineClient = Client & Pick<HttpClient, 'raw' | 'streaming' | 'close'>

export interface KubernetesEngineOptions {
  /** Closed with the engine. */
  readonly client: EngineClient
  /** Of the context, as people know it. */
  readonly name: string
  readonly clock: Clock
  /** That takes the routes; by default the one that a Sampan cluster offers. */
  readonly gateway?: GatewayName | undefined
}

export class KubernetesEngine implements Engine {
  readonly kind = 'kubernetes'
  readonly name: string
  readonly ledger: Ledger
  private readonly client: EngineClient
  private readonly clock: Clock
  private readonly workloads: Workloads
  private readonly routes: Routes
  private readonly runs: Runs
  private readonly kept: Bundles
  private readonly looks: Together<Observation>
  private readonly inFlight = new InFlight()
  private readonly asked: Asked

  constructor({ client, name, clock, gateway }: KubernetesEngineOptions) {
    this.client = client
    this.name = name
    this.clock = clock
    this.ledger = new SecretLedger(client, clock)
    this.workloads = new Workloads(client, clock)
    this.runs = new Runs(client, clock)
    this.kept = new Bundles(client)
    const discovery = new Discovery(client)
    const style: Asked['style'] = () => this.inFlight.ask('route style', () => routeStyle(client, discovery, gateway))
    this.asked = { client, inFlight: this.inFlight, discovery, style }
    this.routes = new Routes(this.asked, clock)
    this.looks = new Together((namespace, names) => observationsOf(client, namespace, names, clock.now()))
  }

  cannot(place: Place, parts: readonly Part[]): Promise<readonly Inability[]> {
    return inabilities(this.asked, place, parts)
  }

  async sharing(): Promise<Sharing> {
    const style = await this.asked.style()
    return style.kind === 'gateway' ? { by: 'weights' } : { by: 'instances', because: style.because }
  }

  /** Who may not make it, or not even ask for it, goes on: what comes next tells whether it is there. */
  async prepare({ namespace: name }: Place): Promise<boolean> {
    try {
      await this.client.create(namespaces, { metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'sampan' } } })
      return true
    } catch (error) {
      if (isForbidden(error)) return false
      if (!isAlreadyExists(error)) throw error
      const namespace = await ifPermitted(this.client.get(namespaces, { name }))
      if (namespace?.metadata.deletionTimestamp !== undefined)
        throw new DeployError(`the namespace ${name} is just being deleted; wait until it is gone and try again`)
      return false
    }
  }

  services(_environment: string, namespace: string): Promise<readonly string[]> {
    return servicesIn(this.client, namespace)
  }

  removeRoom(_environment: string, namespace: string, watch: Watch): Promise<RoomEnd> {
    return removeNamespace(this.client, this.clock, namespace, watch)
  }

  observe(place: Place): Promise<Observation> {
    return this.looks.ask(place)
  }

  async compare(place: Place, part: Part): Promise<readonly Difference[] | undefined> {
    const { namespace } = place
    if (part.kind === 'route') return this.routes.compare(place, part)
    if (part.kind !== 'workload') return compare(this.client, [await this.objectOf(place, part, 'as it is')])
    const instances = await this.workloads.wantedInstances(place, part, this.inFlight)
    return compare(this.client, workloadObjects(namespace, part, instances))
  }

  rollOut(place: Place, workload: Workload, watch: Watch): Promise<Verdict> {
    return this.workloads.rollOut(place, workload, watch)
  }

  holdsData(place: Place, workload: string): Promise<boolean> {
    return this.workloads.holdsData(place, workload)
  }

  restart(place: Place, workload: string, watch: Watch): Promise<Verdict> {
    return this.workloads.restart(place, workload, watch)
  }

  scale(place: Place, workload: string, instances: number, watch: Watch): Promise<Verdict> {
    return this.workloads.scale(place, workload, instances, watch)
  }

  async put(place: Place, part: Entrance | Schedule | Route, patience: Patience): Promise<Verdict> {
    if (part.kind === 'route') return this.routes.put(place, part, patience)
    await patiently(this.clock, patience, async () => apply(this.client, await this.objectOf(place, part)))
    return { state: 'done' }
  }

  remove(place: Place, part: PartName, patience: Patience, { withData = false } = {}): Promise<void> {
    return patiently(this.clock, patience, () => this.removePart(place, part, withData))
  }

  private async removePart(place: Place, { kind, name }: PartName, withData: boolean): Promise<void> {
    const { namespace } = place
    switch (kind) {
      case 'workload':
        return this.workloads.remove(place, name, withData)
      case 'entrance':
        return this.delete(services, namespace, objectName(name))
      case 'route':
        return this.routes.remove(place, name)
      case 'schedule':
        return this.delete(cronJobs, namespace, cronJobName(name))
    }
  }

  runOnce({ namespace }: Place, run: Run, watch: Watch): Promise<RunResult> {
    return this.runs.run(jobOfRun(namespace, run), watch)
  }

  async runSchedule({ namespace }: Place, schedule: string, run: string, watch: Watch): Promise<RunResult> {
    const cron = await findObject(this.client, cronJobs, { namespace, name: cronJobName(schedule) })
    if (cron === undefined)
      throw new DeployError(
        `there is no schedule "${schedule}" in the namespace ${namespace}; deploy the service first`,
      )
    return this.runs.run(jobOfSchedule(cron, run, watch.timeLimitSeconds), watch)
  }

  resultOf({ namespace }: Place, name: string, watch: Watch): Promise<RunResult | undefined> {
    return this.runs.resultOf(namespace, name, watch)
  }

  forgetRun({ namespace }: Place, name: string): Promise<void> {
    return this.runs.forget(namespace, name)
  }

  keep(place: Place, bundle: Bundle): Promise<void> {
    return this.kept.keep(place, bundle)
  }

  readBundle(place: Place, name: string): Promise<Bundle | undefined> {
    return this.kept.read(place, name)
  }

  bundles(place: Place): Promise<readonly string[]> {
    return this.kept.names(place)
  }

  dropBundle(place: Place, name: string): Promise<void> {
    return this.kept.drop(place, name)
  }

  logs(place: Place, wanted: LogsWanted): AsyncIterable<LogLine> {
    return serviceLogs(this.client, this.clock, place, wanted)
  }

  exec(place: Place, command: CommandInInstance): Promise<number> {
    return execIn(this.client, place, command)
  }

  runAttached(place: Place, run: Run, terminal: Terminal): Promise<number> {
    return runWithTerminal(this.client, this.clock, place, run, terminal)
  }

  reach(place: Place, target: { readonly workload: string; readonly port: number }): Promise<Way> {
    return reach(this.client, place, target)
  }

  close(): void {
    this.client.close()
  }

  /** @param guarded whether a schedule has a guard that its start does not need any more, as it had when it was put */
  private async objectOf({ namespace }: Place, part: Entrance | Schedule, guarded?: 'as it is'): Promise<TypedObject> {
    switch (part.kind) {
      case 'entrance':
        return entranceObject(namespace, part)
      case 'schedule':
        return scheduleObject(namespace, part, guarded && (await this.hasGuard(namespace, part)) ? 0 : this.clock.now())
    }
  }

  private async hasGuard(namespace: string, { name }: Schedule): Promise<boolean> {
    const cron = await findObject(this.client, cronJobs, { namespace, name: cronJobName(name) })
    return isGuarded(cron?.spec.jobTemplate.spec?.template.spec?.containers[0])
  }

  private async delete(resource: Resource, namespace: string, name: string): Promise<void> {
    await unlessNotFound(this.client.delete(resource, { namespace, name }, { propagationPolicy: 'Background' }))
  }
}
