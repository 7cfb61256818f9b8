// `pods/binding`: the scheduler's decision. Sets the node once and notes PodScheduled.
import { badRequest, conflict, invalid, preconditionFailed } from '../../api/api-error.ts'
import { decodeObject } from '../../api/decode.ts'
import { joinErrors } from '../../api/field-error.ts'
import type { Binding, Pod } from '../../api/generated/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { requireText } from '../../api/validation/scalars.ts'
import { formatTime } from '../../lib/clock.ts'
import { admitPosted } from '../admission/admission.ts'
import { decodeBody, mediaTypeOf, readBody } from '../http/body.ts'
import { sendValue } from '../http/respond.ts'
import { keyOfTarget, type Caller, type Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import { placeInNamespace } from '../operations/finish-object.ts'
import { current } from '../operations/read.ts'
import type { SubresourceRoute } from './subresource.ts'

const model = 'V1Binding'

/**
 * The node is that of the binding as admission left it.
 * @param target the pod
 * @param postedTo what admission is told that the binding was posted to
 */
export async function bind(
  context: ServerContext,
  target: Target,
  binding: Partial<Binding>,
  caller: Caller,
  postedTo: Target = { ...target, subresource: 'binding' },
): Promise<void> {
  const posted: Partial<Binding> = {
    ...binding,
    kind: 'Binding',
    apiVersion: 'v1',
    metadata: { ...binding.metadata } as Binding['metadata'],
  }
  placeInNamespace(posted.metadata!, target.namespace)
  const { metadata, target: node } = await admitPosted(context, 'CREATE', postedTo, posted, caller, {
    model,
    check: after => checkBinding(after, target),
  })
  for (;;) {
    const stored = current(context, target)
    const pod = stored.object as Pod
    if (metadata?.uid && metadata.uid !== pod.metadata.uid)
      throw preconditionFailed(target.kind.resource, target.name, 'UID', metadata.uid, pod.metadata.uid)
    if (metadata?.resourceVersion && metadata.resourceVersion !== pod.metadata.resourceVersion)
      throw preconditionFailed(
        target.kind.resource,
        target.name,
        'ResourceVersion',
        metadata.resourceVersion,
        pod.metadata.resourceVersion,
      )
    if (pod.metadata.deletionTimestamp !== undefined)
      throw conflict(
        { group: '', plural: 'pods/binding' },
        target.name,
        `pod ${target.name} is being deleted, cannot be assigned to a host`,
      )
    if (pod.spec.nodeName)
      throw conflict(
        { group: '', plural: 'pods/binding' },
        target.name,
        `pod ${target.name} is already assigned to node "${pod.spec.nodeName}"`,
      )
    if ((pod.spec.schedulingGates ?? []).length > 0)
      throw conflict(
        { group: '', plural: 'pods/binding' },
        target.name,
        `pod ${target.name} has non-empty .spec.schedulingGates`,
      )
    const draft = structuredClone(pod)
    draft.spec.nodeName = node!.name!
    // What the pod was promised is of no interest any more.
    delete draft.status.nominatedNodeName
    const conditions = (draft.status.conditions ?? []).filter(condition => condition.type !== 'PodScheduled')
    const { generation } = draft.metadata
    draft.status.conditions = [
      ...conditions,
      {
        type: 'PodScheduled',
        status: 'True',
        ...(generation !== undefined && { observedGeneration: generation }),
        lastTransitionTime: formatTime(context.clock.now()),
      },
    ]
    if (caller.dryRun) return
    const { annotations, labels } = metadata ?? {}
    if (annotations !== undefined) draft.metadata.annotations = { ...draft.metadata.annotations, ...annotations }
    if (labels !== undefined) draft.metadata.labels = { ...draft.metadata.labels, ...labels }
    const written = await context.storage.put(
      target.kind.resource,
      keyOfTarget(target),
      draft as KubeObject,
      stored.revision,
    )
    if (written.ok) return
  }
}

/**
 * Kubernetes 1.36 finds the same in a bad target, but answers 500; its repair answers as this does.
 * @throws ApiError BadRequest, Invalid
 */
function checkBinding({ metadata, target: node }: Partial<Binding>, { name }: Target): void {
  if ((metadata?.name ?? '') !== name) throw badRequest('name in URL does not match name in Binding object')
  const found = joinErrors(
    node?.kind && node.kind !== 'Node'
      ? [
          {
            reason: 'FieldValueNotSupported',
            field: 'target.kind',
            message: `Unsupported value: ${JSON.stringify(node.kind)}: supported values: "Node", "<empty>"`,
          },
        ]
      : [],
    requireText(node?.name, 'target.name'),
  )
  if (found.length > 0) throw invalid('', 'Binding', name, found)
  if (name === '') throw badRequest('Name parameter required.')
}

export function bindingRoute(context: ServerContext): SubresourceRoute {
  return {
    methods: ['POST'],
    async serve(exchange, target) {
      const { value } = decodeBody(await readBody(exchange.request), mediaTypeOf(exchange.request), model, 'Ignore')
      await bind(context, target, decodeObject(model, value ?? {}).object as Partial<Binding>, exchange.caller)
      return sendValue(
        exchange,
        201,
        { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
        'V1Status',
      )
    },
  }
}
