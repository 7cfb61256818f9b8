// Pod: the unit that is scheduled and run.
import { forbiddenField, joinErrors } from '../field-error.ts'
import type { FieldError } from '../field-error.ts'
import type { Container, Pod } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { pods } from '../resources.ts'
import { validateEphemeralContainers } from '../validation/containers.ts'
import { validatePodSpec } from '../validation/pod-spec.ts'
import { validatePodUpdate } from '../validation/pod-update.ts'
import { validateResources } from '../validation/resources.ts'
import { each, sameJson } from '../validation/scalars.ts'
import { defaultPod } from './pod-defaults.ts'
import { mergeLabelKeys } from './pod-label-keys.ts'
import { qualityOfService } from './pod-quality.ts'
import { podColumns, podRow } from './pod-row.ts'
import { clientMetadata, keepStatus } from './strategy.ts'

export const podKind = defineKind({
  resource: pods,
  model: 'V1Pod',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  generation: true,
  defaults(draft) {
    defaultPod(draft)
    draft.status ??= {}
  },
  prepareForCreate(draft) {
    mergeLabelKeys(draft)
    draft.status = { phase: 'Pending', qosClass: qualityOfService(draft.spec) }
    if ((draft.spec.schedulingGates ?? []).length > 0) {
      draft.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ]
    }
  },
  prepareForUpdate: keepStatus,
  validate: pod => validatePodSpec(pod.spec, 'spec'),
  validateCreate: pod =>
    (pod.spec.ephemeralContainers ?? []).length > 0
      ? [forbiddenField('spec.ephemeralContainers', 'cannot be set on create')]
      : [],
  validateUpdate: validatePodUpdate,
  subresources: {
    status: {
      prepare(draft, old) {
        draft.spec = old.spec
        draft.status.qosClass ??= old.status.qosClass
      },
      keeps: ['ownerReferences'],
    },
    ephemeralcontainers: {
      prepare(draft, old) {
        draft.spec = { ...old.spec, ephemeralContainers: draft.spec.ephemeralContainers }
        keepStatus(draft, old)
        countChange(draft, old)
      },
      keeps: clientMetadata,
      validate: (pod, old) =>
        joinErrors(validateEphemeralContainers(pod.spec, 'spec'), validateEphemeralKept(pod, old)),
    },
    resize: {
      prepare(draft, old) {
        const { spec } = draft
        draft.spec = { ...old.spec, containers: resized(old.spec.containers, spec.containers) }
        if (old.spec.initContainers !== undefined)
          draft.spec.initContainers = resized(
            old.spec.initContainers,
            (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
          )
        if (spec.resources !== undefined) draft.spec.resources = spec.resources
        keepStatus(draft, old)
        countChange(draft, old)
      },
      validate: validateResize,
    },
  },
  connects: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'eviction', kind: 'Eviction', verbs: ['create'], group: 'policy', version: 'v1' },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    { name: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
  ],
  gracePeriodSeconds,
  columns: podColumns,
  row: podRow,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => `${spec.hostNetwork ?? false}`,
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
})

/** Nobody has to wait for a pod that runs nowhere. */
function gracePeriodSeconds({ spec, status }: Pod, requested: number | undefined): number {
  if (!spec.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0
  const seconds = requested ?? Number(spec.terminationGracePeriodSeconds ?? 0)
  return seconds < 0 ? 1 : seconds
}

function validateEphemeralKept(pod: Pod, old: Pod): FieldError[] {
  const now = new Map((pod.spec.ephemeralContainers ?? []).map(container => [container.name, container]))
  return each(old.spec.ephemeralContainers, 'spec.ephemeralContainers', ({ name, ...rest }) => {
    const kept = now.get(name)
    if (kept === undefined)
      return [
        forbiddenField('spec.ephemeralContainers', `existing ephemeral containers ["${name}"] may not be removed\n`),
      ]
    return sameJson(kept, { name, ...rest })
      ? []
      : [forbiddenField('spec.ephemeralContainers', `existing ephemeral containers ["${name}"] may not be changed\n`)]
  })
}

/** The containers with the amounts that are wanted now. */
function resized(containers: readonly Container[], wanted: readonly Container[] = []): Container[] {
  const amounts = new Map(wanted.map(({ name, resources }) => [name, resources]))
  return containers.map(container =>
    Object.assign({ ...container }, { resources: amounts.get(container.name) ?? container.resources }),
  )
}

/** A part of the object that is a part of its specification counts as a change of it. */
function countChange(draft: Pod, old: Pod): void {
  if (!sameJson(draft.spec, old.spec)) draft.metadata.generation = Number(old.metadata.generation ?? 0) + 1
}

function validateResize(pod: Pod, old: Pod): FieldError[] {
  return joinErrors(
    validateResources(pod.spec.resources, 'spec.resources'),
    each(pod.spec.initContainers, 'spec.initContainers', (container, path) =>
      validateResources(container.resources, `${path}.resources`),
    ),
    each(pod.spec.containers, 'spec.containers', (container, path) =>
      validateResources(container.resources, `${path}.resources`),
    ),
    qualityOfService(pod.spec) === old.status.qosClass
      ? []
      : [forbiddenField('spec', 'Pod QOS Class may not change as a result of resizing')],
  )
}
