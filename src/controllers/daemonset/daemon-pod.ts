// Daemon pods: on which nodes they belong, and how one is made.
import type { DaemonSet, Node, Pod, Toleration } from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'
import { daemonSets } from '../../api/resources.ts'
import { matchesNodeAffinity, untolerated } from '../../control/node-match.ts'
import { revisionLabel } from '../../control/controller-revisions.ts'
import { controllerReference } from '../../control/ownership.ts'
import { podFromTemplate } from '../../control/pods.ts'

const templateGeneration = 'pod-template-generation'
const generationAnnotation = 'deprecated.daemonset.template.generation'

/** What daemons put up with so that they run where other pods do not (yet). */
function daemonTolerations(hostNetwork: boolean): Toleration[] {
  const toleration = (key: string, effect: string): Toleration => ({
    key: `node.kubernetes.io/${key}`,
    operator: 'Exists',
    effect,
  })
  return [
    toleration('not-ready', 'NoExecute'),
    toleration('unreachable', 'NoExecute'),
    ...[
      'disk-pressure',
      'memory-pressure',
      'pid-pressure',
      'unschedulable',
      ...(hostNetwork ? ['network-unavailable'] : []),
    ].map(key => toleration(key, 'NoSchedule')),
  ]
}

/** The pod for a node: bound to it by affinity, so that the scheduler puts it there. */
export function podFor(set: DaemonSet, nodeName: string, hash: string): New<Pod> {
  const pod = podFromTemplate(set.spec.template, controllerReference(set, daemonSets), set.metadata.namespace)
  const spec = pod.spec!
  const generation = set.metadata.annotations?.[generationAnnotation]
  const tolerations = [...(spec.tolerations ?? [])]
  for (const wanted of daemonTolerations(spec.hostNetwork === true)) {
    if (
      !tolerations.some(
        ({ key, operator, effect, value }) =>
          key === wanted.key && operator === wanted.operator && effect === wanted.effect && (value ?? '') === '',
      )
    )
      tolerations.push(wanted)
  }
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        [revisionLabel]: hash,
        ...(generation !== undefined && { [templateGeneration]: generation }),
      },
    },
    spec: {
      ...spec,
      tolerations,
      affinity: {
        ...spec.affinity,
        nodeAffinity: {
          ...spec.affinity?.nodeAffinity,
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onNode(nodeName)] },
        },
      },
    },
  }
}

const onNode = (name: string): object => ({ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] })

/** The node a daemon pod is meant for, also before it is bound. */
export function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return terms
    .flatMap(term => term.matchFields ?? [])
    .find(({ key, operator }) => key === 'metadata.name' && operator === 'In')?.values?.[0]
}

export interface Fit {
  readonly shouldRun: boolean
  /** A pod that runs may stay although no new one would come. */
  readonly mayStay: boolean
}

/** Whether the set wants a pod on the node. */
export function fitOn(set: DaemonSet, node: Node): Fit {
  const { nodeName, hostNetwork = false, tolerations = [] } = set.spec.template.spec ?? { containers: [] }
  const pod = {
    spec: { ...set.spec.template.spec, tolerations: [...tolerations, ...daemonTolerations(hostNetwork)] },
  } as Pod
  if (nodeName && nodeName !== node.metadata.name) return { shouldRun: false, mayStay: false }
  if (!matchesNodeAffinity(pod, node)) return { shouldRun: false, mayStay: false }
  if (untolerated(pod, node, ['NoExecute']) !== undefined) return { shouldRun: false, mayStay: false }
  return { shouldRun: untolerated(pod, node, ['NoSchedule']) === undefined, mayStay: true }
}
