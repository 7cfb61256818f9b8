// Definitions of custom resources for tests, and their installation.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion as Version,
  JSONSchemaProps as Schema,
} from '../api/generated/models.ts'
import { customResourceDefinitions } from '../api/resources.ts'
import { eventually } from './eventually.ts'
import type { Answer, TestServer } from './in-process-server.ts'

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

export interface DefinitionOptions {
  readonly group?: string
  readonly kind?: string
  readonly scope?: 'Namespaced' | 'Cluster'
  readonly names?: {
    readonly plural?: string
    readonly kind?: string
    readonly listKind?: string
    readonly shortNames?: readonly string[]
    readonly categories?: readonly string[]
  }
  readonly spec?: object
  readonly versions?: readonly object[]
}

/** A version with this schema of `spec` (and whatever else is given). */
export const version = (
  spec: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  more: Partial<Version> = {},
  beside: Record<string, Schema> = {},
): Version => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: { spec, status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, ...beside },
    },
  },
  ...more,
})

export function definition({
  group = 'example.com',
  kind = 'Boat',
  scope = 'Namespaced',
  names = {},
  spec = {},
  versions = [version()],
}: DefinitionOptions = {}): object {
  const { plural = `${kind.toLowerCase()}s` } = names
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope, names: { kind, ...names, plural }, versions, ...spec },
  }
}

/** Creates the definition and waits until it says that it is established. */
export async function install(server: TestServer, body: object): Promise<CustomResourceDefinition> {
  const created = await server.call('POST', definitionsPath, { body })
  if (created.status !== 201) throw new Error(`the definition was refused: ${created.text}`)
  return established(server, created.json.metadata.name as string)
}

export async function established(server: TestServer, name: string): Promise<CustomResourceDefinition> {
  return eventually(`${name} is established`, async () => {
    const found = await server.local.get(customResourceDefinitions, { name })
    return (
      found.status.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') === true && found
    )
  })
}

/** Replaces the definition's spec in part, by merge patch. */
export const change = (server: TestServer, name: string, spec: object): Promise<Answer> =>
  server.call('PATCH', `${definitionsPath}/${name}`, {
    body: { spec },
    headers: { 'Content-Type': 'application/merge-patch+json' },
  })

export async function uninstalled(server: TestServer, name: string): Promise<void> {
  await eventually(
    `${name} is gone`,
    async () => (await server.call('GET', `${definitionsPath}/${name}`)).status === 404,
  )
}
