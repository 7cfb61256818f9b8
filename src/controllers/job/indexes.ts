// Completion indexes of Indexed jobs: their place on pods, and the compact form `0-2,4` of the status.
import type { Job, Pod } from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'

export const indexKey = 'batch.kubernetes.io/job-completion-index'

export const isIndexed = ({ spec }: Job): boolean => spec.completionMode === 'Indexed'

export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexKey]
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text)
}

export function parseIndexes(text: string | undefined): Set<number> {
  const indexes = new Set<number>()
  for (const part of (text ?? '').split(',').filter(one => one !== '')) {
    const [from = 0, to = from] = part.split('-').map(Number)
    for (let index = from; index <= to; index++) indexes.add(index)
  }
  return indexes
}

export function formatIndexes(indexes: ReadonlySet<number>): string {
  const runs: [number, number][] = []
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === index - 1) last[1] = index
    else runs.push([index, index])
  }
  return runs
    .map(([from, to]) => (from === to ? `${from}` : to === from + 1 ? `${from},${to}` : `${from}-${to}`))
    .join(',')
}

/** Tells the pod its index: annotation, label, host name and the variable JOB_COMPLETION_INDEX. */
export function withIndex(
  pod: New<Pod>,
  jobName: string,
  index: number,
  annotations: Record<string, string> = {},
): New<Pod> {
  const variable = {
    name: 'JOB_COMPLETION_INDEX',
    valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexKey}']` } },
  }
  const addVariable = <T extends { env?: { name: string }[] }>(container: T): T =>
    container.env?.some(({ name }) => name === variable.name)
      ? container
      : { ...container, env: [...(container.env ?? []), variable] }
  const spec = pod.spec!
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${jobName}-${index}-`,
      labels: { ...pod.metadata.labels, [indexKey]: `${index}` },
      annotations: { ...pod.metadata.annotations, ...annotations, [indexKey]: `${index}` },
    },
    spec: {
      ...spec,
      hostname: `${jobName}-${index}`,
      containers: spec.containers.map(addVariable),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(addVariable) }),
    },
  }
}
