// What every definition of this gateway's own policies has in common.
import type {
  CustomResourceColumnDefinition as Column,
  JSONSchemaProps as Schema,
} from '../../../api/generated/models.ts'
import { gatewayGroup, policyGroup, policyVersion } from '../../../api/gateway-names.ts'
import { revision, revisionAnnotation } from '../bundle.ts'
import { conditions } from '../conditions.ts'
import { ageColumn, column, definition, type DefinedKind, type GatewayDefinition } from '../definition.ts'
import { controllerName, kind, objectName, parentReference, sectionName } from '../names-and-references.ts'
import { described, list, object, oneOf, rule, ruled, whole } from '../schema.ts'

export const policyDefinition = (policy: DefinedKind): GatewayDefinition =>
  definition(
    { ...policy, versions: [policyVersion] },
    { group: policyGroup, category: 'sampan', annotations: { [revisionAnnotation]: revision } },
  )

/** What a policy may be for: of these kinds, and of the group that each is in. */
const groupOfTargets = {
  Gateway: gatewayGroup,
  HTTPRoute: gatewayGroup,
  GRPCRoute: gatewayGroup,
  Ingress: 'networking.k8s.io',
  Service: '',
}

const target = ruled(
  object(
    {
      group: oneOf(...new Set(Object.values(groupOfTargets))),
      kind: { ...kind, enum: Object.keys(groupOfTargets) },
      name: objectName,
      sectionName,
    },
    ['group', 'kind', 'name'],
  ),
  ...Object.entries(groupOfTargets).map(([name, group]) =>
    rule(
      `a target of the kind ${name} is of the group ${JSON.stringify(group)}`,
      `self.kind == '${name}' ? self.group == '${group}' : true`,
    ),
  ),
  rule(
    'sectionName is a listener of a Gateway or a rule of a route',
    "has(self.sectionName) ? self.kind in ['Gateway', 'HTTPRoute', 'GRPCRoute'] : true",
  ),
)

export const targetRefs: Schema = described(
  'What it is for: Gateways, routes, Ingresses and services of its namespace; sectionName for one listener or rule alone.',
  list(target, 16, 1),
)

const ofAncestor = (field: string): string => `.status.ancestors[0].conditions[?(@.type=="Accepted")].${field}`

/** What became of the first of its targets. */
export const policyColumns: readonly Column[] = [
  column('Accepted', ofAncestor('status')),
  column('Message', ofAncestor('message'), 1),
  ageColumn,
]

const ancestor = whole({ ancestorRef: parentReference, controllerName, conditions: conditions(1) })

export const policyStatus: Schema = whole({ ancestors: list(ancestor, 16) })
