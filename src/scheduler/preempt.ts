// Which pods have to leave so that one of higher priority finds a node. Pure: a node and its victims, or why
// there are none. As few leave as possible, and of the nodes that could be freed the one where it hurts
// least is taken. Source: pkg/scheduler/framework/preemption and plugins/defaultpreemption of 1.36.
import type { Pod, PodDisruptionBudget } from '../api/generated/models.ts'
import { isEmptySelector, matchesSelector } from '../api/label-selector.ts'
import { conditionOf, isTerminating } from '../control/pods.ts'
import type { Random } from '../lib/random.ts'
import { priorityOf, type Requirements } from './requirements.ts'
import { availability } from './rule.ts'
import { unfitBehindNominated, type LookUps, type Obstacles } from './schedule.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'
import { Trial } from './trial.ts'

export interface Preemption {
  readonly node: string
  /** The most important one first. */
  readonly victims: readonly Pod[]
  /** How many of them disruption budgets would rather keep. */
  readonly violations: number
}

export interface NoPreemption {
  /** As the pod's events and condition say it. */
  readonly why: string
  /** What the pod was promised before does not help it any more. */
  readonly losesNomination: boolean
}

export interface PreemptOptions extends LookUps {
  readonly budgets: readonly PodDisruptionBudget[]
  readonly random: Random
  readonly nowMs: number
}

/** @param obstacles why the pod fits on no node */
export function preempt(
  requirements: Requirements,
  snapshot: Snapshot,
  obstacles: Obstacles,
  options: PreemptOptions,
): Preemption | NoPreemption {
  const reason = ineligibility(requirements.pod, snapshot, obstacles)
  if (reason !== undefined) return { why: reason, losesNomination: false }
  const { candidates, failures } = dryRun(requirements, snapshot, obstacles, options)
  const chosen = leastHarm(candidates, options.nowMs)
  if (chosen !== undefined) return chosen
  const reasons = [...snapshot.nodes.keys()].map(name => failures.get(name) ?? unhelpful)
  return { why: availability(snapshot.nodes.size, reasons), losesNomination: true }
}

const unhelpful: readonly string[] = ['Preemption is not helpful for scheduling']
const nobodyLower: readonly string[] = ['No preemption victims found for incoming pod']

/** Whoever already had pods told to leave waits for them. */
function ineligibility(pod: Pod, snapshot: Snapshot, obstacles: Obstacles): string | undefined {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const nominated = snapshot.nominations.nodeOf(pod)
  const info = nominated === undefined ? undefined : snapshot.nodes.get(nominated)
  if (info === undefined || obstacles.get(info.name)?.isResolvable === false) return undefined
  return info.pods.values().some(other => priorityOf(other.pod) < priorityOf(pod) && isPreempted(other.pod))
    ? 'not eligible due to a terminating pod on the nominated node.'
    : undefined
}

function isPreempted(pod: Pod): boolean {
  const condition = conditionOf(pod, 'DisruptionTarget')
  return isTerminating(pod) && condition?.status === 'True' && condition.reason === 'PreemptionByScheduler'
}

const leastCandidates = 100

/** In a large cluster a tenth of the nodes is enough to choose from, from a random one on. */
function dryRun(
  requirements: Requirements,
  snapshot: Snapshot,
  obstacles: Obstacles,
  options: PreemptOptions,
): { candidates: Preemption[]; failures: ReadonlyMap<string, readonly string[]> } {
  const hopeful = [...snapshot.nodes.values()].filter(({ name }) => obstacles.get(name)?.isResolvable === true)
  const enough = Math.min(hopeful.length, Math.max(leastCandidates, Math.floor(hopeful.length / 10)))
  const offset = Math.floor(options.random.fraction() * hopeful.length)
  const harmless: Preemption[] = []
  const violating: Preemption[] = []
  const failures = new Map<string, readonly string[]>()
  for (
    let index = 0;
    index < hopeful.length && !(harmless.length > 0 && harmless.length + violating.length >= enough);
    index++
  ) {
    const info = hopeful[(offset + index) % hopeful.length]!
    const found = victimsOn(info, requirements, snapshot, options)
    if (!('victims' in found)) failures.set(info.name, found)
    else (found.violations === 0 ? harmless : violating).push(found)
  }
  return { candidates: [...harmless, ...violating], failures }
}

/** The fewest pods without which the pod would fit, or the reasons why it would not fit without any lower pod. */
export function victimsOn(
  info: NodeInfo,
  requirements: Requirements,
  snapshot: Snapshot,
  { budgets, namespaceLabels, storage, nowMs }: PreemptOptions,
): Preemption | readonly string[] {
  const lower = [...info.pods.values()].filter(other => priorityOf(other.pod) < priorityOf(requirements.pod))
  if (lower.length === 0) return nobodyLower
  const trial = new Trial(snapshot, info)
  for (const one of lower) trial.remove(one)
  const obstacle = () =>
    unfitBehindNominated(requirements, trial.node, { snapshot, cluster: trial, namespaceLabels, storage })
  const left = obstacle()
  if (left !== undefined) return left.reasons
  const victims: Requirements[] = []
  const stays = (one: Requirements): boolean => {
    trial.add(one)
    if (obstacle() === undefined) return true
    trial.remove(one)
    victims.push(one)
    return false
  }
  const { guarded, free } = splitByBudgets(
    lower.sort((a, b) => byImportance(a.pod, b.pod, nowMs)),
    budgets,
  )
  const violations = guarded.filter(one => !stays(one)).length
  free.forEach(stays)
  return victims.length === 0
    ? nobodyLower
    : { node: info.name, victims: victims.map(one => one.pod).sort((a, b) => byImportance(a, b, nowMs)), violations }
}

const startMs = ({ status }: Pod, nowMs: number): number => (status.startTime ? Date.parse(status.startTime) : nowMs)

/** The higher priority first, then the one that runs longer. */
const byImportance = (a: Pod, b: Pod, nowMs: number): number =>
  priorityOf(b) - priorityOf(a) || startMs(a, nowMs) - startMs(b, nowMs)

/** Those whose leaving a budget does not allow any more, counted in the order given, and the others. */
function splitByBudgets(
  candidates: readonly Requirements[],
  budgets: readonly PodDisruptionBudget[],
): { guarded: Requirements[]; free: Requirements[] } {
  const left = new Map(budgets.map(budget => [budget, budget.status?.disruptionsAllowed ?? 0]))
  const guarded: Requirements[] = []
  const free: Requirements[] = []
  for (const one of candidates) {
    let isGuarded = false
    for (const budget of budgets) {
      if (!covers(budget, one.pod)) continue
      const remaining = left.get(budget)! - 1
      left.set(budget, remaining)
      if (remaining < 0) isGuarded = true
    }
    ;(isGuarded ? guarded : free).push(one)
  }
  return { guarded, free }
}

/** Pods that were evicted already are counted by the API server; pods without labels belong to no budget. */
const covers = ({ metadata, spec, status }: PodDisruptionBudget, pod: Pod): boolean =>
  metadata.namespace === pod.metadata.namespace &&
  Object.keys(pod.metadata.labels ?? {}).length > 0 &&
  !isEmptySelector(spec.selector) &&
  matchesSelector(spec.selector, pod.metadata.labels) &&
  status?.disruptedPods?.[pod.metadata.name] === undefined

/** Makes priorities positive, so that fewer pods of negative priority are never worse than more of them. */
const priorityOffset = 2 ** 31

/** The criteria in their order; less is better. */
function harm({ victims, violations }: Preemption, nowMs: number): readonly number[] {
  const highest = priorityOf(victims[0]!)
  const earliestMs = Math.min(
    ...victims.filter(victim => priorityOf(victim) === highest).map(victim => startMs(victim, nowMs)),
  )
  return [
    violations,
    highest,
    victims.reduce((sum, victim) => sum + priorityOf(victim) + priorityOffset, 0),
    victims.length,
    -earliestMs,
  ]
}

function leastHarm(candidates: readonly Preemption[], nowMs: number): Preemption | undefined {
  let best: { candidate: Preemption; harm: readonly number[] } | undefined
  for (const candidate of candidates) {
    const own = harm(candidate, nowMs)
    if (best === undefined || isLess(own, best.harm)) best = { candidate, harm: own }
  }
  return best?.candidate
}

function isLess(left: readonly number[], right: readonly number[]): boolean {
  const place = left.findIndex((value, index) => value !== right[index])
  return place >= 0 && left[place]! < right[place]!
}
