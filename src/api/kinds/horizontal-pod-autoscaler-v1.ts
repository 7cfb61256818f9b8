// HorizontalPodAutoscaler as autoscaling/v1 shows it: the CPU metric as a field, everything else that v2
// knows as JSON in annotations, so that nothing is lost on the way there and back.
import type {
  HorizontalPodAutoscaler,
  V2HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerSpec as Spec,
  V2HorizontalPodAutoscalerStatus as Status,
  V2MetricSpec as MetricSpec,
} from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import type { KubeObject } from '../object.ts'
import { horizontalPodAutoscalers, horizontalPodAutoscalersV1 } from '../resources.ts'
import { columns } from './cells.ts'
import { autoscalerRow, defaultSpec, emptyAutoscalerStatus, validateSpec } from './horizontal-pod-autoscaler.ts'
import { keepStatus, statusOnly } from './strategy.ts'

const annotations = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
} as const

export const horizontalPodAutoscalerV1Kind = defineKind({
  resource: horizontalPodAutoscalersV1,
  model: 'V1HorizontalPodAutoscaler',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  storage: {
    resource: horizontalPodAutoscalers,
    toStorage: object => toV2(object as HorizontalPodAutoscaler),
    fromStorage: object => toV1(object as V2HorizontalPodAutoscaler),
  },
  defaults(draft) {
    draft.spec ??= {} as NonNullable<HorizontalPodAutoscaler['spec']>
    draft.spec.minReplicas ??= 1
    if (
      draft.spec.targetCPUUtilizationPercentage === undefined &&
      draft.metadata.annotations?.[annotations.metrics] === undefined
    )
      draft.spec.targetCPUUtilizationPercentage = 80
    draft.status ??= { currentReplicas: 0, desiredReplicas: 0 }
    draft.status.currentReplicas ??= 0
    draft.status.desiredReplicas ??= 0
  },
  prepareForCreate(draft) {
    draft.status = { currentReplicas: 0, desiredReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate: autoscaler => validateSpec(toV2(autoscaler).spec!),
  columns: columns('Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age'),
  row: (autoscaler, nowMs) => autoscalerRow(toV2(autoscaler), nowMs),
})

const isCpu = (metric: MetricSpec): boolean =>
  metric.type === 'Resource' &&
  metric.resource?.name === 'cpu' &&
  metric.resource.target.averageUtilization !== undefined

function toV2(object: HorizontalPodAutoscaler): V2HorizontalPodAutoscaler {
  const { spec, status, metadata } = object
  const kept = { ...metadata.annotations }
  const cpu = spec?.targetCPUUtilizationPercentage
  const metrics: MetricSpec[] = [
    ...(cpu === undefined
      ? []
      : [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpu } } }]),
    ...(parsed<MetricSpec[]>(kept[annotations.metrics]) ?? []),
  ]
  const v2Spec: Spec = {
    scaleTargetRef: spec?.scaleTargetRef ?? { kind: '', name: '' },
    maxReplicas: spec?.maxReplicas ?? 0,
    ...(spec?.minReplicas !== undefined && { minReplicas: spec.minReplicas }),
    ...(metrics.length > 0 && { metrics }),
    ...optional('behavior', parsed<NonNullable<Spec['behavior']>>(kept[annotations.behavior])),
  }
  defaultSpec(v2Spec)
  const { currentReplicas, desiredReplicas, lastScaleTime, observedGeneration } = status ?? {
    currentReplicas: 0,
    desiredReplicas: 0,
  }
  const v2Status: Status = {
    ...emptyAutoscalerStatus(),
    desiredReplicas,
    ...(currentReplicas > 0 && { currentReplicas }),
    ...optional('lastScaleTime', lastScaleTime),
    ...optional('observedGeneration', observedGeneration),
    ...optional('conditions', parsed<NonNullable<Status['conditions']>>(kept[annotations.conditions])),
    ...optional('currentMetrics', parsed<NonNullable<Status['currentMetrics']>>(kept[annotations.currentMetrics])),
  }
  for (const name of Object.values(annotations)) delete kept[name]
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(metadata, kept),
    spec: v2Spec,
    status: v2Status,
  }
}

function toV1(object: V2HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  const { spec, status, metadata } = object
  const cpu = (spec?.metrics ?? []).find(isCpu)
  const others = (spec?.metrics ?? []).filter(metric => metric !== cpu)
  const added = {
    ...(others.length > 0 && { [annotations.metrics]: JSON.stringify(others) }),
    ...(spec?.behavior !== undefined && { [annotations.behavior]: JSON.stringify(spec.behavior) }),
    ...((status?.conditions ?? []).length > 0 && { [annotations.conditions]: JSON.stringify(status!.conditions) }),
    ...((status?.currentMetrics ?? []).length > 0 && {
      [annotations.currentMetrics]: JSON.stringify(status!.currentMetrics),
    }),
  }
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(metadata, { ...metadata.annotations, ...added }),
    spec: {
      scaleTargetRef: spec?.scaleTargetRef ?? { kind: '', name: '' },
      maxReplicas: spec?.maxReplicas ?? 0,
      ...optional('minReplicas', spec?.minReplicas),
      ...optional('targetCPUUtilizationPercentage', cpu?.resource?.target.averageUtilization),
    },
    status: {
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...optional('lastScaleTime', status?.lastScaleTime),
      ...optional('observedGeneration', status?.observedGeneration),
      ...optional(
        'currentCPUUtilizationPercentage',
        status?.currentMetrics?.find(metric => metric.resource?.name === 'cpu')?.resource?.current?.averageUtilization,
      ),
    },
  }
}

function withAnnotations(metadata: KubeObject['metadata'], wanted: Record<string, string>): KubeObject['metadata'] {
  const { annotations: _, ...rest } = metadata
  return Object.keys(wanted).length === 0 ? rest : { ...rest, annotations: wanted }
}

const optional = <K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [name]: value } as Record<K, V>)

/** What an annotation holds; a client may have written nonsense there. */
function parsed<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as T) : undefined
  } catch {
    return undefined
  }
}
