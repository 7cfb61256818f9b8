// HorizontalPodAutoscaler, the stored form (autoscaling/v2): replicas by metrics.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type {
  V2HorizontalPodAutoscaler as HorizontalPodAutoscaler,
  V2HorizontalPodAutoscalerSpec as Spec,
  V2HPAScalingRules as ScalingRules,
  V2MetricSpec as MetricSpec,
  V2MetricStatus as MetricStatus,
  V2MetricTarget as MetricTarget,
  V2MetricValueStatus as MetricValue,
} from '../generated/models.ts'
import { defineKind, type Cell } from '../kind.ts'
import { canonicalQuantity } from '../quantity.ts'
import { horizontalPodAutoscalers } from '../resources.ts'
import { checkPathSegment } from '../validation/formats.ts'
import { each, requireText, validatePositive } from '../validation/scalars.ts'
import { age, columns } from './cells.ts'
import { keepStatus, statusOnly } from './strategy.ts'

type Source = 'containerResource' | 'external' | 'object' | 'pods' | 'resource'
const sourceOf: Readonly<Record<string, Source>> = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
}
const longestWindowSeconds = 3600
const longestPeriodSeconds = 1800

export const emptyAutoscalerStatus = (): HorizontalPodAutoscaler['status'] => ({
  desiredReplicas: 0,
  currentMetrics: null as unknown as MetricStatus[],
})

export const horizontalPodAutoscalerKind = defineKind({
  resource: horizontalPodAutoscalers,
  model: 'V2HorizontalPodAutoscaler',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  defaults(draft) {
    draft.spec ??= {} as Spec
    defaultSpec(draft.spec)
    draft.status = { ...emptyAutoscalerStatus(), ...draft.status }
  },
  prepareForCreate(draft) {
    draft.status = emptyAutoscalerStatus()
  },
  prepareForUpdate: keepStatus,
  subresources: statusOnly(),
  validate: ({ spec }) => validateSpec(spec!),
  columns: columns('Name', 'Reference', 'Targets', 'MinPods', 'MaxPods', 'Replicas', 'Age'),
  row: autoscalerRow,
})

export function defaultSpec(spec: Spec): void {
  spec.minReplicas ??= 1
  if ((spec.metrics ?? []).length === 0)
    spec.metrics = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ]
  for (const metric of spec.metrics ?? []) canonicalizeTarget(targetOf(metric))
  if (spec.behavior === undefined) return
  spec.behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
    ...spec.behavior.scaleUp,
  }
  spec.behavior.scaleDown = {
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    ...spec.behavior.scaleDown,
  }
}

const targetOf = (metric: MetricSpec): MetricTarget | undefined => {
  const source = sourceOf[metric.type]
  return source === undefined ? undefined : metric[source]?.target
}

function canonicalizeTarget(target: MetricTarget | undefined): void {
  if (target?.value !== undefined) target.value = canonicalQuantity(target.value)
  if (target?.averageValue !== undefined) target.averageValue = canonicalQuantity(target.averageValue)
}

export function validateSpec(spec: Spec): FieldError[] {
  const { minReplicas = 1, maxReplicas, scaleTargetRef: target } = spec
  const needsSource =
    minReplicas === 0 && !(spec.metrics ?? []).some(metric => metric.type === 'Object' || metric.type === 'External')
  return joinErrors(
    minReplicas < 1 && (minReplicas < 0 || needsSource)
      ? [invalidValue('spec.minReplicas', minReplicas, 'must be greater than or equal to 1')]
      : [],
    validatePositive(maxReplicas ?? 0, 'spec.maxReplicas'),
    (maxReplicas ?? 0) < minReplicas
      ? [invalidValue('spec.maxReplicas', maxReplicas ?? 0, 'must be greater than or equal to `minReplicas`')]
      : [],
    requireText(target?.kind, 'spec.scaleTargetRef.kind', checkPathSegment),
    requireText(target?.name, 'spec.scaleTargetRef.name', checkPathSegment),
    each(spec.metrics, 'spec.metrics', validateMetric),
    spec.behavior === undefined
      ? []
      : joinErrors(
          validateRules(spec.behavior.scaleUp, 'spec.behavior.scaleUp'),
          validateRules(spec.behavior.scaleDown, 'spec.behavior.scaleDown'),
        ),
  )
}

function validateMetric(metric: MetricSpec, field: string): FieldError[] {
  const source = sourceOf[metric.type]
  if (!metric.type) return [required(`${field}.type`, 'must specify a metric source type')]
  if (source === undefined) return [notSupported(`${field}.type`, metric.type, Object.keys(sourceOf))]
  if (metric[source] === undefined)
    return [required(`${field}.${source}`, `must populate information for the given metric source`)]
  return validateTarget(targetOf(metric) ?? { type: '' }, `${field}.${source}.target`)
}

function validateTarget({ type, value, averageValue, averageUtilization }: MetricTarget, field: string): FieldError[] {
  const types = ['AverageValue', 'Utilization', 'Value']
  return joinErrors(
    type === ''
      ? [required(`${field}.type`, 'must specify a metric target type')]
      : types.includes(type)
        ? []
        : [invalidValue(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue')],
    validatePositive(averageUtilization, `${field}.averageUtilization`),
    value === undefined && averageValue === undefined && averageUtilization === undefined
      ? [required(`${field}.averageUtilization`, 'must set either a target raw value or a target utilization')]
      : [],
  )
}

function validateRules(rules: ScalingRules | undefined, field: string): FieldError[] {
  if (rules === undefined) return []
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = rules
  return joinErrors(
    window !== undefined && window < 0
      ? [invalidValue(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero')]
      : [],
    window !== undefined && window > longestWindowSeconds
      ? [
          invalidValue(
            `${field}.stabilizationWindowSeconds`,
            window,
            `must be less than or equal to ${longestWindowSeconds}`,
          ),
        ]
      : [],
    selectPolicy === undefined || ['Disabled', 'Max', 'Min'].includes(selectPolicy)
      ? []
      : [notSupported(`${field}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min'])],
    policies.length === 0 ? [required(`${field}.policies`, 'must specify at least one Policy')] : [],
    each(policies, `${field}.policies`, (policy, path) =>
      joinErrors(
        ['Pods', 'Percent'].includes(policy.type)
          ? []
          : [notSupported(`${path}.type`, policy.type, ['Percent', 'Pods'])],
        validatePositive(policy.value, `${path}.value`),
        validatePositive(policy.periodSeconds, `${path}.periodSeconds`),
        policy.periodSeconds > longestPeriodSeconds
          ? [
              invalidValue(
                `${path}.periodSeconds`,
                policy.periodSeconds,
                `must be less than or equal to ${longestPeriodSeconds}`,
              ),
            ]
          : [],
      ),
    ),
  )
}

export function autoscalerRow(autoscaler: HorizontalPodAutoscaler, nowMs: number): Cell[] {
  const { spec, status } = autoscaler
  const { kind, name } = spec.scaleTargetRef
  return [
    autoscaler.metadata.name,
    `${kind}/${name}`,
    targetsCell(spec?.metrics, status?.currentMetrics),
    `${spec?.minReplicas ?? '<unset>'}`,
    spec?.maxReplicas ?? 0,
    status?.currentReplicas ?? 0,
    age(autoscaler, nowMs),
  ]
}

/** `cpu: 12%/80%`, the first two and how many more. */
function targetsCell(metrics: readonly MetricSpec[] | null = [], current: readonly MetricStatus[] | null = []): string {
  if (metrics === null || metrics.length === 0) return '<none>'
  const shown = metrics.slice(0, 2).map((metric, index) => metricCell(metric, current?.[index]))
  return metrics.length > 2 ? `${shown.join(', ')} + ${metrics.length - 2} more...` : shown.join(', ')
}

function metricCell(metric: MetricSpec, status: MetricStatus | undefined): string {
  const source = sourceOf[metric.type]
  const target = targetOf(metric)
  if (source === undefined || target === undefined) return '<unknown type>'
  const now = valueCell(status?.[source]?.current, target)
  const goal =
    target.averageUtilization === undefined
      ? (target.averageValue ?? target.value ?? '')
      : `${target.averageUtilization}%`
  const average = target.averageValue !== undefined && (source === 'external' || source === 'object') ? ' (avg)' : ''
  const label =
    source === 'resource'
      ? `${metric.resource!.name}: `
      : source === 'containerResource'
        ? `${metric.containerResource!.name}: `
        : ''
  return `${label}${now}/${goal}${average}`
}

function valueCell(current: MetricValue | undefined, target: MetricTarget): string {
  if (target.averageUtilization !== undefined)
    return current?.averageUtilization === undefined ? '<unknown>' : `${current.averageUtilization}%`
  return (target.averageValue === undefined ? current?.value : current?.averageValue) ?? '<unknown>'
}
