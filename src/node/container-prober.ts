// Runs the probes of one running container: startup first, then liveness and readiness side by side.
// Kubernetes' rules, with one addition: until a container is ready for the first time, startup and
// readiness are also asked in quick succession between the regular probes, so that a pod is Ready when it
// is and not at the end of the next period. Such extra probes can only succeed; their failures don't count.
import type { Container, Probe } from '../api/generated/models.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { ProbeState } from './pod-state.ts'
import type { ProbeResult } from './probe-actions.ts'

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

export interface ProberDependencies {
  readonly clock: Clock
  readonly run: (probe: Probe) => Promise<ProbeResult>
  /** The state changed. */
  readonly onChange: () => void
  readonly onUnhealthy: (kind: ProbeKind, message: string) => void
}

const firstQuickMs = 30
const quickGrowth = 1.25
const defaultPeriodSeconds = 10

export class ContainerProber {
  readonly state: ProbeState
  private readonly container: Container
  private readonly dependencies: ProberDependencies
  private readonly startedAtMs: number
  private readonly timers = new Map<ProbeKind, Timer>()
  private stopped = false

  /** `known` is what the API remembers of a container that ran before the agent did. */
  constructor(
    container: Container,
    startedAtMs: number,
    dependencies: ProberDependencies,
    known?: { readonly started: boolean; readonly ready: boolean },
  ) {
    this.container = container
    this.dependencies = dependencies
    this.startedAtMs = startedAtMs
    this.state = {
      started: container.startupProbe === undefined || known?.started === true,
      ready:
        container.readinessProbe === undefined
          ? container.startupProbe === undefined || known?.started === true
          : known?.ready === true,
    }
  }

  start(): void {
    if (this.state.started) this.onStarted()
    else this.begin('startup', this.container.startupProbe)
  }

  /** Liveness no longer matters once the pod is to end; readiness still does. */
  stopLiveness(): void {
    this.timers.get('liveness')?.cancel()
    this.timers.get('startup')?.cancel()
    this.timers.delete('liveness')
    this.timers.delete('startup')
  }

  stop(): void {
    this.stopped = true
    for (const timer of this.timers.values()) timer.cancel()
    this.timers.clear()
  }

  private onStarted(): void {
    this.begin('liveness', this.container.livenessProbe)
    this.begin('readiness', this.container.readinessProbe)
  }

  private begin(kind: ProbeKind, probe: Probe | undefined): void {
    if (probe === undefined) return
    const run = new ProbeRun(kind, probe)
    const earliestMs = this.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1_000
    const now = this.dependencies.clock.now()
    run.nextRegularMs = Math.max(now, earliestMs)
    this.schedule(run, run.nextRegularMs - now)
  }

  private schedule(run: ProbeRun, delayMs: number): void {
    if (this.stopped) return
    this.timers.set(
      run.kind,
      this.dependencies.clock.after(delayMs, () => void this.tick(run)),
    )
  }

  private async tick(run: ProbeRun): Promise<void> {
    const { clock } = this.dependencies
    const regular = clock.now() >= run.nextRegularMs
    if (regular) run.nextRegularMs = clock.now() + (run.probe.periodSeconds ?? defaultPeriodSeconds) * 1_000
    const timer = this.timers.get(run.kind)
    const result = await this.dependencies.run(run.probe)
    // Stopped meanwhile: this result no longer counts.
    if (this.stopped || this.timers.get(run.kind) !== timer) return
    if (regular || result.ok) this.note(run, result)
    if (run.kind === 'startup' && this.state.started) return
    const quickMs = run.isFirstSuccessOpen() ? run.nextQuick() : Infinity
    this.schedule(run, Math.min(quickMs, Math.max(0, run.nextRegularMs - clock.now())))
  }

  private note(run: ProbeRun, result: ProbeResult): void {
    const verdict = run.note(result.ok)
    if (!result.ok) this.dependencies.onUnhealthy(run.kind, result.message)
    if (verdict === undefined) return
    switch (run.kind) {
      case 'startup':
        return verdict
          ? this.started()
          : this.give(`Container ${this.container.name} failed startup probe, will be restarted`)
      case 'liveness':
        return verdict
          ? undefined
          : this.give(`Container ${this.container.name} failed liveness probe, will be restarted`)
      case 'readiness':
        if (this.state.ready === verdict) return
        this.state.ready = verdict
        return this.dependencies.onChange()
    }
  }

  private started(): void {
    this.state.started = true
    if (this.container.readinessProbe === undefined) this.state.ready = true
    this.onStarted()
    this.dependencies.onChange()
  }

  private give(reason: string): void {
    this.state.unhealthy = reason
    this.stop()
    this.dependencies.onChange()
  }
}

class ProbeRun {
  readonly kind: ProbeKind
  readonly probe: Probe
  nextRegularMs = 0
  private quickMs = firstQuickMs
  private successes = 0
  private failures = 0
  private everSucceeded = false

  constructor(kind: ProbeKind, probe: Probe) {
    this.kind = kind
    this.probe = probe
  }

  /** True or false when a threshold is reached, undefined before. */
  note(ok: boolean): boolean | undefined {
    this.successes = ok ? this.successes + 1 : 0
    this.failures = ok ? 0 : this.failures + 1
    if (ok) this.everSucceeded = true
    if (this.successes >= (this.probe.successThreshold ?? 1)) return true
    return this.failures >= (this.probe.failureThreshold ?? 3) ? false : undefined
  }

  isFirstSuccessOpen(): boolean {
    return this.kind !== 'liveness' && !this.everSucceeded
  }

  nextQuick(): number {
    const current = this.quickMs
    this.quickMs *= quickGrowth
    return current
  }
}
