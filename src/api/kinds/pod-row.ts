// The row of `kubectl get pods`: one word that says how the pod is doing, out of a dozen fields
// (pkg/printers/internalversion printPod).
import type { Container, ContainerState, ContainerStatus, Pod } from '../generated/models.ts'
import type { Cell } from '../kind.ts'
import { age, columns, none, since } from './cells.ts'

export const podColumns = columns(
  'Name',
  'Ready',
  'Status',
  'Restarts',
  'Age',
  'IP*',
  'Node*',
  'Nominated Node*',
  'Readiness Gates*',
)

interface Summary {
  reason: string
  ready: number
  restarts: number
  lastRestart: string
}

export function podRow(pod: Pod, nowMs: number): Cell[] {
  const { spec, status, metadata } = pod
  const summary = summarize(pod)
  const total = spec.containers.length + (spec.initContainers ?? []).filter(isSidecar).length
  return [
    metadata.name,
    `${summary.ready}/${total}`,
    summary.reason,
    restartsCell(summary, nowMs),
    age(pod, nowMs),
    status?.podIPs?.[0]?.ip ?? (status?.podIP || none),
    spec.nodeName || none,
    status?.nominatedNodeName || none,
    readinessGates(pod),
  ]
}

const restartsCell = ({ restarts, lastRestart }: Summary, nowMs: number): string =>
  restarts === 0 || lastRestart === '' ? `${restarts}` : `${restarts} (${since(lastRestart, nowMs)} ago)`

function readinessGates({ spec, status }: Pod): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return none
  const met = gates.filter(gate =>
    status?.conditions?.some(condition => condition.type === gate.conditionType && condition.status === 'True'),
  )
  return `${met.length}/${gates.length}`
}

const isSidecar = (container: Container | undefined): boolean => container?.restartPolicy === 'Always'
const hasCondition = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false

function summarize(pod: Pod): Summary {
  const { status, metadata } = pod
  const phase = status?.phase ?? ''
  const gated = status?.conditions?.some(
    condition => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated',
  )
  const summary: Summary = {
    reason: gated ? 'SchedulingGated' : status?.reason || phase,
    ready: 0,
    restarts: 0,
    lastRestart: '',
  }
  const sidecars: Summary = { ...summary }
  const initializing = summarizeInit(pod, summary, sidecars)
  if (!initializing || hasCondition(pod, 'Initialized')) {
    summary.restarts = sidecars.restarts
    summary.lastRestart = sidecars.lastRestart
    summarizeMain(pod, summary)
  }
  if (metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') summary.reason = 'Unknown'
    else if (phase !== 'Succeeded' && phase !== 'Failed') summary.reason = 'Terminating'
  }
  return summary
}

/** Returns whether an init container still stands in the way. */
function summarizeInit(pod: Pod, summary: Summary, sidecars: Summary): boolean {
  const specs = pod.spec.initContainers ?? []
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = isSidecar(specs.find(spec => spec.name === container.name))
    countRestarts(summary, container)
    if (sidecar) countRestarts(sidecars, container)
    const { terminated, waiting } = container.state ?? {}
    if (terminated?.exitCode === 0) continue
    if (sidecar && container.started === true) {
      if (container.ready) summary.ready++
      continue
    }
    if (terminated) summary.reason = `Init:${terminatedReason(terminated)}`
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.reason = `Init:${waiting.reason}`
    else summary.reason = `Init:${index}/${specs.length}`
    return true
  }
  return false
}

function summarizeMain(pod: Pod, summary: Summary): void {
  let running = false
  for (const container of (pod.status?.containerStatuses ?? []).toReversed()) {
    countRestarts(summary, container)
    const { terminated, waiting, running: runs } = container.state ?? {}
    if (waiting?.reason) summary.reason = waiting.reason
    else if (terminated) summary.reason = terminatedReason(terminated)
    else if (container.ready && runs) {
      running = true
      summary.ready++
    }
  }
  if (summary.reason === 'Completed' && running) summary.reason = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady'
}

function countRestarts(summary: Summary, container: ContainerStatus): void {
  summary.restarts += container.restartCount ?? 0
  const finished = container.lastState?.terminated?.finishedAt ?? ''
  if (finished > summary.lastRestart) summary.lastRestart = finished
}

const terminatedReason = ({ reason, signal, exitCode }: NonNullable<ContainerState['terminated']>): string =>
  reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
