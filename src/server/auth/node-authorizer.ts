// What a node may do: read what its own pods need, write its own objects, and what every node may. What
// it writes is looked at by the admission plug-in NodeRestriction, which sees the object.
// Source: plugin/pkg/auth/authorizer/node/node_authorizer.go.
import type { UserInfo } from '../request.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { fieldTerms, isPath, type Attributes, type Decision, type ResourceAttributes } from './attributes.ts'
import { nodeRules } from './default-policy.ts'
import { NodeGraph, type RelatedKind } from './node-graph.ts'
import { ruleAllows } from './rbac-rules.ts'

const nodesGroup = 'system:nodes'
const userPrefix = 'system:node:'
export const nodeLeaseNamespace = 'kube-node-lease'

/** The name of the node that the user is; '' of a node that cannot be told; undefined: not a node. */
export function nodeNameOf({ username, groups }: UserInfo): string | undefined {
  if (!username.startsWith(userPrefix) || !groups.includes(nodesGroup)) return undefined
  return username.slice(userPrefix.length)
}

const allowed: Decision = { allowed: true, reason: '' }
const no = (reason = ''): Decision => ({ allowed: false, reason })
const ownVerbs: ReadonlySet<string> = new Set(['get', 'create', 'update', 'patch', 'delete'])

export class NodeAuthorizer {
  private readonly storage: ObjectStorage
  private graph: NodeGraph | undefined

  constructor(storage: ObjectStorage) {
    this.storage = storage
  }

  /** undefined: the user is not a node. */
  authorize(user: UserInfo, attributes: Attributes): Decision | undefined {
    const node = nodeNameOf(user)
    if (node === undefined) return undefined
    if (node === '') return no(`unknown node for user ${JSON.stringify(user.username)}`)
    return (isPath(attributes) ? undefined : this.aboutResource(node, attributes)) ?? byRules(attributes)
  }

  /** undefined: a matter of the rules that hold for all nodes. */
  private aboutResource(node: string, attributes: ResourceAttributes): Decision | undefined {
    const { group, resource, subresource } = attributes
    switch (group === '' ? resource : `${resource}.${group}`) {
      case 'secrets':
        return this.readNamespaced(node, 'secrets', attributes)
      case 'configmaps':
        return this.readNamespaced(node, 'configmaps', attributes)
      case 'persistentvolumeclaims':
        return subresource === 'status'
          ? this.updateStatus(node, 'persistentvolumeclaims', attributes)
          : this.get(node, 'persistentvolumeclaims', attributes)
      case 'persistentvolumes':
        return this.get(node, 'persistentvolumes', attributes)
      case 'resourceclaims.resource.k8s.io':
        return this.get(node, 'resourceclaims', attributes)
      case 'volumeattachments.storage.k8s.io':
        return this.get(node, 'volumeattachments', attributes)
      case 'serviceaccounts':
        return this.createToken(node, attributes)
      case 'leases.coordination.k8s.io':
        return ownLease(node, attributes)
      case 'csinodes.storage.k8s.io':
        return ownCsiNode(node, attributes)
      case 'resourceslices.resource.k8s.io':
        return this.slices(node, attributes)
      case 'nodes':
        return ownNode(node, attributes)
      case 'pods':
        return this.pods(node, attributes)
      default:
        return undefined
    }
  }

  private related(node: string, kind: RelatedKind, { namespace, name }: ResourceAttributes): Decision {
    if (!name) return no('No Object name found')
    this.graph ??= new NodeGraph(this.storage)
    return this.graph.isRelated(node, kind, namespace === undefined ? name : `${namespace}/${name}`)
      ? allowed
      : no(`no relationship found between node '${node}' and this object`)
  }

  private get(node: string, kind: RelatedKind, attributes: ResourceAttributes): Decision {
    if (attributes.verb !== 'get') return no('can only get individual resources of this type')
    if (attributes.subresource !== undefined) return no('cannot get subresource')
    return this.related(node, kind, attributes)
  }

  private readNamespaced(node: string, kind: RelatedKind, attributes: ResourceAttributes): Decision {
    if (!['get', 'list', 'watch'].includes(attributes.verb)) return no('can only read resources of this type')
    if (attributes.subresource !== undefined) return no('cannot read subresource')
    if (!attributes.namespace) return no('can only read namespaced object of this type')
    return this.related(node, kind, attributes)
  }

  private updateStatus(node: string, kind: RelatedKind, attributes: ResourceAttributes): Decision {
    if (!['update', 'patch'].includes(attributes.verb)) return no('can only get/update/patch this type')
    return this.related(node, kind, attributes)
  }

  private createToken(node: string, attributes: ResourceAttributes): Decision {
    if (attributes.verb !== 'create' || !attributes.name)
      return no('can only create tokens for individual service accounts')
    if (attributes.subresource !== 'token') return no('can only create token subresource of serviceaccount')
    return this.related(node, 'serviceaccounts', attributes)
  }

  private slices(node: string, attributes: ResourceAttributes): Decision {
    if (attributes.subresource !== undefined) return no('cannot authorize ResourceSlice subresources')
    switch (attributes.verb) {
      case 'create':
        return allowed
      case 'get':
      case 'update':
      case 'patch':
      case 'delete':
        return this.related(node, 'resourceslices', attributes)
      case 'watch':
      case 'list':
      case 'deletecollection':
        // The selectable field is spec.nodeName; the original's authorizer asks for nodeName as well.
        return selects(attributes, 'nodeName', node) || selects(attributes, 'spec.nodeName', node)
          ? allowed
          : no('can only list/watch/deletecollection resourceslices with nodeName field selector')
      default:
        return no(
          'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
        )
    }
  }

  private pods(node: string, attributes: ResourceAttributes): Decision {
    const { verb, subresource, name } = attributes
    if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : no()
    if (subresource === 'eviction') return verb === 'create' ? allowed : no()
    if (subresource !== undefined) return no()
    switch (verb) {
      case 'get':
        return this.related(node, 'pods', attributes)
      case 'list':
      case 'watch':
        if (selects(attributes, 'spec.nodeName', node)) return allowed
        return name
          ? this.related(node, 'pods', attributes)
          : no('can only list/watch pods with spec.nodeName field selector')
      case 'create':
      case 'delete':
        return allowed
      default:
        return no()
    }
  }
}

const byRules = (attributes: Attributes): Decision =>
  nodeRules.some(rule => ruleAllows(rule, attributes)) ? allowed : no()

function ownNode(node: string, { verb, subresource, name }: ResourceAttributes): Decision {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : no()
  if (subresource !== undefined) return no()
  switch (verb) {
    case 'create':
    case 'update':
    case 'patch':
      return allowed
    case 'get':
    case 'list':
    case 'watch':
      if (name === node) return allowed
      return no(
        name
          ? `node '${node}' cannot read '${name}', only its own Node object`
          : `node '${node}' cannot read all nodes, only its own Node object`,
      )
    default:
      return no()
  }
}

function ownLease(node: string, { verb, namespace, name }: ResourceAttributes): Decision {
  if (!ownVerbs.has(verb)) return no('can only get, create, update, patch, or delete a node lease')
  if (namespace !== nodeLeaseNamespace)
    return no(`can only access leases in the ${JSON.stringify(nodeLeaseNamespace)} system namespace`)
  return verb === 'create' || name === node
    ? allowed
    : no('can only access node lease with the same name as the requesting node')
}

function ownCsiNode(node: string, { verb, subresource, name }: ResourceAttributes): Decision {
  if (!ownVerbs.has(verb)) return no('can only get, create, update, patch, or delete a CSINode')
  if (subresource !== undefined) return no('cannot authorize CSINode subresources')
  return verb === 'create' || name === node
    ? allowed
    : no('can only access CSINode with the same name as the requesting node')
}

function selects({ fieldSelector }: ResourceAttributes, field: string, value: string): boolean {
  return (fieldTerms(fieldSelector) ?? []).some(
    term => term.field === field && term.operator === '=' && term.value === value,
  )
}
