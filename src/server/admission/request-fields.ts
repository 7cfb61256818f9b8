// A write as those from outside are told of it: what AdmissionReviews and the variable `request` of expressions
// have in common. Source: apiserver pkg/admission/plugin/webhook/request, pkg/admission/plugin/cel.
import type { KindDefinition } from '../../api/kind.ts'
import type { AdmissionRequest } from '../server-context.ts'

/** @param kind as which the request matched */
export function requestFields(request: AdmissionRequest, kind: KindDefinition): object {
  const {
    operation,
    target,
    caller: { user, dryRun },
  } = request
  const { namespace, subresource } = target
  const name = target.name || (request.object ?? request.old)?.metadata?.name
  const isNamespace = target.kind.resource.group === '' && target.kind.resource.plural === 'namespaces'
  return {
    kind: kindOf(kind, kind, request),
    resource: resourceOf(kind),
    ...(subresource !== undefined && { subResource: subresource }),
    requestKind: kindOf(target.kind, kind, request),
    requestResource: resourceOf(target.kind),
    ...(subresource !== undefined && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(isNamespace ? { namespace: name } : namespace !== undefined && { namespace }),
    operation,
    userInfo: {
      username: user.username,
      ...(user.uid !== undefined && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra !== undefined && { extra: user.extra }),
    },
    dryRun,
    options: optionsOf(request),
  }
}

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** What is posted to a subresource is of a kind of its own. */
function kindOf(kind: KindDefinition, asked: KindDefinition, { object, target }: AdmissionRequest): GroupVersionKind {
  const { group, version, kind: name } = kind.resource
  if (kind !== asked || target.subresource === undefined || object?.kind === undefined || object.kind === name)
    return { group, version, kind: name }
  const parts = object.apiVersion.split('/')
  return { group: parts.length > 1 ? parts[0]! : '', version: parts.at(-1)!, kind: object.kind }
}

const resourceOf = ({ resource: { group, version, plural } }: KindDefinition): object => ({
  group,
  version,
  resource: plural,
})

/** What the client asked for; a patch counts as the creation or update that it is. */
function optionsOf({ operation, caller, deletion }: AdmissionRequest): object | null {
  const kind = optionKinds[operation]
  if (kind === undefined) return null
  const given = operation === 'DELETE' ? deletion : caller.given
  return { ...given, kind, apiVersion: 'meta.k8s.io/v1', ...(caller.dryRun && { dryRun: ['All'] }) }
}

const optionKinds: Partial<Record<AdmissionRequest['operation'], string>> = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
}
