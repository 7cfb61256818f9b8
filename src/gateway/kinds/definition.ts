// What every definition has in common, and what those of the Gateway API have, at the level of its release 1.6, standard
// channel. Facts are those of that release; words are ours.
import type {
  CustomResourceColumnDefinition as Column,
  CustomResourceDefinition,
  JSONSchemaProps as Schema,
} from '../../api/generated/models.ts'
import type { New } from '../../api/object.ts'
import { gatewayGroup } from '../../api/gateway-names.ts'
import { bundleAnnotations, revision, revisionAnnotation } from './bundle.ts'
import { described } from './schema.ts'

export interface GatewayDefinition extends New<CustomResourceDefinition> {
  metadata: { name: string; annotations: Record<string, string>; labels?: Record<string, string> }
  spec: CustomResourceDefinition['spec']
}

export interface DefinedKind {
  readonly kind: string
  readonly plural: string
  readonly shortName?: string
  readonly scope?: 'Namespaced' | 'Cluster'
  readonly labels?: Record<string, string>
  /** Those that are served, all with the same schema. */
  readonly versions?: readonly string[]
  /** The first one, unless it is said. */
  readonly stored?: string
  readonly columns?: readonly Column[]
  /** One sentence for `kubectl explain`. */
  readonly description: string
  readonly spec: Schema
  /** Without it the kind has no status. */
  readonly status?: Schema
}

export const column = (name: string, jsonPath: string, priority = 0): Column => ({
  name,
  type: 'string',
  jsonPath,
  ...(priority > 0 && { priority }),
})
export const conditionColumn = (type: string): Column => column(type, `.status.conditions[?(@.type=="${type}")].status`)
export const ageColumn: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** What the definitions of one group have in common. */
export interface DefinedGroup {
  readonly group: string
  readonly category: string
  readonly annotations: Readonly<Record<string, string>>
}

const gatewayApi: DefinedGroup = {
  group: gatewayGroup,
  category: 'gateway-api',
  annotations: {
    'api-approved.kubernetes.io': 'https://github.com/kubernetes-sigs/gateway-api/pull/4530',
    ...bundleAnnotations,
    [revisionAnnotation]: revision,
  },
}

export const gatewayDefinition = (kind: DefinedKind): GatewayDefinition => definition(kind, gatewayApi)

export function definition(
  {
    kind,
    plural,
    shortName,
    scope = 'Namespaced',
    labels,
    versions = ['v1'],
    stored = versions[0]!,
    columns = [ageColumn],
    description,
    spec,
    status,
  }: DefinedKind,
  { group, category, annotations }: DefinedGroup,
): GatewayDefinition {
  const openAPIV3Schema: Schema = {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: described('What is wanted.', spec),
      ...(status && { status: described('What became of it.', status) }),
    },
  }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: { ...annotations },
      ...(labels && { labels }),
    },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        categories: [category],
        ...(shortName !== undefined && { shortNames: [shortName] }),
      },
      versions: versions.map(name => ({
        name,
        served: true,
        storage: name === stored,
        additionalPrinterColumns: [...columns],
        schema: { openAPIV3Schema },
        subresources: status ? { status: {} } : {},
      })),
    },
  }
}
