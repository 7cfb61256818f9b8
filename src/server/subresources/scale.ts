// `scale`: the replica count of a workload, seen as autoscaling/v1 Scale.
import { isNumber } from '../../lib/int64.ts'
import { badRequest, invalid, methodNotAllowed } from '../../api/api-error.ts'
import { decodeObject } from '../../api/decode.ts'
import { invalidValue } from '../../api/field-error.ts'
import type { Scale } from '../../api/generated/models.ts'
import type { KindDefinition, ScalePaths } from '../../api/kind.ts'
import { age, columns } from '../../api/kinds/cells.ts'
import type { KubeObject } from '../../api/object.ts'
import { applyJsonPatch } from '../../api/patch/json-patch.ts'
import { applyMergePatch } from '../../api/patch/merge-patch.ts'
import { labelSelectorText } from '../../api/label-selector.ts'
import { decodeBody, mediaTypeOf, readBody } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import { current } from '../operations/read.ts'
import { negotiate } from '../http/negotiation.ts'
import { includeObject, sendValue } from '../http/respond.ts'
import { table, type TableShape } from '../http/transformations.ts'
import { patchTypeOf } from '../operations/patch.ts'
import { update } from '../operations/update.ts'
import type { Target } from '../request.ts'
import type { ServerContext } from '../server-context.ts'
import type { SubresourceRoute } from './subresource.ts'

const model = 'V1Scale'

/** Custom resources show theirs without columns of its own. */
const scaleTable: TableShape = {
  columns: [{ name: 'Name', type: 'string' }, ...columns('Desired:integer', 'Available:integer', 'Age')],
  row(object, nowMs) {
    const { metadata, spec, status } = object as Scale & KubeObject
    return [metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, age(object, nowMs)]
  },
}

export function scaleRoute(context: ServerContext): SubresourceRoute {
  return {
    async serve(exchange, target) {
      const object = current(context, target).object
      switch (exchange.request.method) {
        case 'GET':
          return sendScale(existingScale(target.kind, object))
        case 'PUT':
          return sendScale(scaleOf(target.kind, await write(target, exchange, await bodyAsScale(exchange))))
        case 'PATCH': {
          const type = patchTypeOf(mediaTypeOf(exchange.request), target.kind)
          const { value } = decodeBody(await readBody(exchange.request), 'application/json', model, 'Ignore')
          return sendScale(
            scaleOf(
              target.kind,
              await write(
                target,
                exchange,
                scale =>
                  (type === 'json'
                    ? applyJsonPatch(scale, value)
                    : applyMergePatch({ ...scale }, value)) as unknown as Scale,
              ),
            ),
          )
        }
        default:
          throw methodNotAllowed()
      }
      async function sendScale(scale: Scale): Promise<void> {
        const accepted = negotiate(exchange.request.headers.accept)
        if (accepted.as !== 'Table' || target.kind.custom !== undefined) return sendValue(exchange, 200, scale, model)
        const shown = { object: scale as KubeObject }
        return sendValue(
          exchange,
          200,
          table(
            scaleTable,
            [shown],
            { resourceVersion: scale.metadata?.resourceVersion },
            context.clock.now(),
            includeObject(exchange),
          ),
          undefined,
          { format: 'json' },
        )
      }
    },
  }

  async function write(target: Target, exchange: Exchange, change: (scale: Scale) => Scale): Promise<KubeObject> {
    const { kind } = target
    const paths = kind.scale!
    const whole: Target = { kind, name: target.name, namespace: target.namespace }
    const written = await update(
      context,
      whole,
      {
        change: live => withReplicas(live, paths, change(unversioned(scaleOf(kind, live)))),
        view: {
          subresource: 'scale',
          model,
          of: object => scaleOf(kind, object) as KubeObject,
          apply: (draft, scale) => setReplicas(draft, paths, replicasOf(scale as Scale)),
        },
      },
      exchange.caller,
    )
    return written.object
  }
}

async function bodyAsScale(exchange: Exchange): Promise<() => Scale> {
  const { value } = decodeBody(
    await readBody(exchange.request),
    mediaTypeOf(exchange.request),
    model,
    exchange.caller.fieldValidation,
  )
  if (value === undefined) throw badRequest('the request has no body, but a Scale was expected')
  const scale = decodeObject(model, value).object as unknown as Scale
  return () => scale
}

const unversioned = (scale: Scale): Scale => ({ ...scale, metadata: { ...scale.metadata, resourceVersion: '' } })

/** @throws ApiError Invalid */
function replicasOf({ metadata, spec }: Scale): number {
  const replicas = spec?.replicas ?? 0
  if (!Number.isInteger(replicas) || replicas < 0)
    throw invalid('autoscaling', 'Scale', metadata?.name ?? '', [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  return replicas
}

function withReplicas(live: KubeObject, { specReplicas }: ScalePaths, scale: Scale): KubeObject {
  const replicas = replicasOf({ ...scale, metadata: live.metadata })
  const draft = structuredClone(live)
  draft.metadata.resourceVersion = scale.metadata?.resourceVersion ?? ''
  setReplicas(draft, { specReplicas }, replicas)
  return draft
}

const setReplicas = (draft: KubeObject, { specReplicas }: Pick<ScalePaths, 'specReplicas'>, replicas: number): void =>
  setAt(draft as unknown as Record<string, unknown>, specReplicas, replicas)

/** @throws ApiError BadRequest where a custom resource does not say how many replicas it wants */
function existingScale(kind: KindDefinition, object: KubeObject): Scale {
  const { specReplicas } = kind.scale!
  if (kind.custom !== undefined && !isNumber(readAt(object, specReplicas)))
    throw badRequest(`the spec replicas field "${specReplicas}" does not exist`)
  return scaleOf(kind, object)
}

export function scaleOf(kind: KindDefinition, object: KubeObject): Scale {
  const paths = kind.scale!
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = paths.selector === undefined ? undefined : readAt(object, paths.selector)
  const text = selectorText(selector)
  const wanted = (readAt(object, paths.specReplicas) as number | undefined) ?? 0
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { ...(wanted > 0 && { replicas: wanted }) },
    status: {
      replicas: (readAt(object, paths.statusReplicas) as number | undefined) ?? 0,
      ...(text !== '' && { selector: text }),
    },
  }
}

function selectorText(selector: unknown): string {
  if (selector === undefined || selector === null) return ''
  if (typeof selector === 'string') return selector
  const isLabelSelector = 'matchLabels' in (selector as object) || 'matchExpressions' in (selector as object)
  return labelSelectorText(isLabelSelector ? selector : { matchLabels: selector as Record<string, string> })
}

const steps = (path: string): string[] => path.split('.').filter(step => step !== '')

function readAt(object: unknown, path: string): unknown {
  return steps(path).reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], object)
}

function setAt(object: Record<string, unknown>, path: string, value: unknown): void {
  const names = steps(path)
  let parent = object
  for (const name of names.slice(0, -1)) parent = (parent[name] ??= {}) as Record<string, unknown>
  parent[names.at(-1)!] = value
}
