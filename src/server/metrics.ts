// What the server counts, under the names that Kubernetes gives it. Source:
// https://kubernetes.io/docs/reference/instrumenting/metrics/
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../lib/clock.ts'
import { MetricRegistry } from '../lib/metrics.ts'
import { isPath, type Attributes } from './auth/attributes.ts'
import type { LegacyUse } from './auth/service-account-tokens.ts'
import type { FlowControl } from './flow-control/flow-control.ts'
import { kubernetesVersion } from './http/health-routes.ts'
import type { KindRegistry } from './kind-registry.ts'
import type { ObjectStorage } from './storage/object-storage.ts'
import { storedResource } from './storage/kind-storage.ts'

const durationBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
const waitBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const requestLabels = ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component']

export interface ObservedRequest {
  readonly version: string
  readonly attributes: Attributes
  readonly isDryRun: boolean
  readonly isLongRunning: boolean
}

export class ServerMetrics {
  readonly registry = new MetricRegistry()
  private readonly clock: Clock
  private readonly eventLoop: EventLoopDelay
  private readonly total = this.registry.counter(
    'apiserver_request_total',
    'Requests by verb, resource and status code.',
    ...requestLabels,
    'code',
  )
  private readonly duration = this.registry.histogram(
    'apiserver_request_duration_seconds',
    'Time from a request to the end of its answer.',
    durationBounds,
    ...requestLabels,
  )
  private readonly inFlight = this.registry.gauge(
    'apiserver_current_inflight_requests',
    'Requests that are being worked on, long-running ones excepted.',
    'request_kind',
  )
  private readonly longRunning = this.registry.gauge(
    'apiserver_longrunning_requests',
    'Watches, streams and proxied requests that are open.',
    ...requestLabels.filter(label => label !== 'dry_run'),
  )
  private readonly rejected = this.registry.counter(
    'apiserver_flowcontrol_rejected_requests_total',
    'Requests refused by flow control.',
    'flow_schema',
    'priority_level',
    'reason',
  )
  private readonly dispatched = this.registry.counter(
    'apiserver_flowcontrol_dispatched_requests_total',
    'Requests let in by flow control.',
    'flow_schema',
    'priority_level',
  )
  private readonly waited = this.registry.histogram(
    'apiserver_flowcontrol_request_wait_duration_seconds',
    'Time requests waited for their turn.',
    waitBounds,
    'priority_level',
    'flow_schema',
    'execute',
  )
  private readonly legacyTokens: Readonly<Record<LegacyUse, ReturnType<MetricRegistry['counter']>>> = {
    generated: this.registry.counter(
      'serviceaccount_legacy_auto_token_uses_total',
      'Uses of service account tokens in Secrets that Kubernetes made.',
    ),
    manual: this.registry.counter(
      'serviceaccount_legacy_manual_token_uses_total',
      'Uses of service account tokens in Secrets that somebody made.',
    ),
    invalidated: this.registry.counter(
      'serviceaccount_invalid_legacy_auto_token_uses_total',
      'Uses of service account tokens in Secrets that are no longer good.',
    ),
  }
  readonly watchEvents = this.registry.counter(
    'apiserver_watch_events_total',
    'Events sent to watchers.',
    'group',
    'version',
    'resource',
  )

  constructor(clock: Clock) {
    this.clock = clock
    this.eventLoop = new EventLoopDelay(clock)
    this.registry.read(
      'gauge',
      'sampan_event_loop_delay_seconds',
      'How late the event loop of the server runs, while it works.',
      ['quantile'],
      () => this.eventLoop.quantiles(),
    )
    this.registry.read(
      'gauge',
      'kubernetes_build_info',
      'Always 1; the labels tell the version.',
      Object.keys(kubernetesVersion).map(snakeCase),
      () => [[Object.values(kubernetesVersion), 1]],
    )
    describeProcess(this.registry)
  }

  /** @returns to be called when the answer is complete, or the client has left */
  begin(request: ObservedRequest): (code: number) => void {
    this.eventLoop.note()
    const { attributes, isLongRunning } = request
    const beganMs = this.clock.now()
    const labels = labelsOf(request)
    const [verb, dryRun, ...rest] = labels
    const gauge = isLongRunning
      ? this.longRunning.at(verb!, ...rest)
      : this.inFlight.at(isReading(attributes) ? 'readOnly' : 'mutating')
    gauge.add(1)
    return code => {
      gauge.add(-1)
      this.total.at(verb!, dryRun!, ...rest, String(code)).add()
      if (!isLongRunning) this.duration.at(...labels).observe((this.clock.now() - beganMs) / 1000)
    }
  }

  letIn(schema: string, level: string, waitedMs: number): void {
    this.dispatched.at(schema, level).add()
    this.waited.at(level, schema, 'true').observe(waitedMs / 1000)
  }

  refuse(schema: string, level: string, reason: string): void {
    this.rejected.at(schema, level, reason).add()
  }

  useLegacyToken(use: LegacyUse): void {
    this.legacyTokens[use].at().add()
  }

  describeFlowControl(flowControl: FlowControl): void {
    const perLevel = (
      name: string,
      help: string,
      read: (level: FlowControl['levels'] extends Iterable<infer L> ? L : never) => number,
    ): void =>
      this.registry.read('gauge', name, help, ['priority_level'], function* () {
        for (const level of flowControl.levels) yield [[level.name], read(level)]
      })
    perLevel('apiserver_flowcontrol_nominal_limit_seats', 'Seats of a priority level.', level => level.nominalSeats)
    perLevel(
      'apiserver_flowcontrol_current_executing_requests',
      'Requests of a level that run.',
      level => level.running,
    )
    perLevel('apiserver_flowcontrol_current_executing_seats', 'Seats of a level in use.', level => level.seatsInUse)
    perLevel('apiserver_flowcontrol_current_inqueue_requests', 'Requests of a level that wait.', level => level.waiting)
  }

  describeStorage(storage: ObjectStorage, kinds: KindRegistry): void {
    this.registry.read(
      'gauge',
      'apiserver_resource_objects',
      'Objects in the store.',
      ['group', 'resource'],
      function* () {
        for (const kind of kinds.stored())
          yield [[kind.resource.group, kind.resource.plural], storage.cache(storedResource(kind)).size]
      },
    )
  }
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

const readingVerbs = new Set(['get', 'list', 'watch', 'head', 'options'])
const isReading = ({ verb }: Attributes): boolean => readingVerbs.has(verb)

const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' }
const connects = new Set(['exec', 'attach', 'portforward', 'proxy'])

function labelsOf({ attributes, version, isDryRun }: ObservedRequest): string[] {
  const dryRun = isDryRun ? 'All' : ''
  if (isPath(attributes))
    return [
      attributes.verb.toUpperCase(),
      dryRun,
      '',
      '',
      '',
      attributes.path.startsWith('/openapi') ? attributes.path.slice(1) : '',
      '',
      'apiserver',
    ]
  const { verb, group, resource, subresource = '', namespace, name } = attributes
  const scope = name !== undefined ? 'resource' : namespace !== undefined ? 'namespace' : 'cluster'
  return [
    connects.has(subresource) ? 'CONNECT' : (verbNames[verb] ?? verb.toUpperCase()),
    dryRun,
    group,
    version,
    resource,
    subresource,
    scope,
    'apiserver',
  ]
}

/** The histogram holds the time from one look at the clock to the next, which is this long when nothing delays it. */
const resolutionMs = 10

/** Measures how late the event loop is while requests come in; an idle server does not wake up for it. */
class EventLoopDelay {
  private readonly histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  private readonly clock: Clock
  private isOn = false
  private noted = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  note(): void {
    this.noted = true
    if (this.isOn) return
    this.isOn = true
    this.histogram.enable()
    this.rest()
  }

  *quantiles(): Generator<[string[], number]> {
    for (const quantile of [0.5, 0.9, 0.99])
      yield [[String(quantile)], Math.max(0, this.histogram.percentile(quantile * 100) / 1e9 - resolutionMs / 1000)]
  }

  private rest(): void {
    this.noted = false
    this.clock.after(10_000, () => {
      if (this.noted) return this.rest()
      this.isOn = false
      this.histogram.disable()
    })
  }
}

function describeProcess(registry: MetricRegistry): void {
  const one = (name: string, help: string, kind: 'gauge' | 'counter', read: () => number): void =>
    registry.read(kind, name, help, [], () => [[[], read()]])
  one('process_cpu_seconds_total', 'Processor time used.', 'counter', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  one('process_resident_memory_bytes', 'Resident memory.', 'gauge', () => process.memoryUsage.rss())
  one(
    'process_start_time_seconds',
    'When the process started, in seconds since the epoch.',
    'gauge',
    () => performance.timeOrigin / 1000,
  )
  one('process_open_fds', 'Open files.', 'gauge', () => readdirSync('/proc/self/fd').length)
}
