// /openapi/v3/...: one document for each group and version. kubectl explains fields from it, checks that
// the server validates fields, and takes merge keys for `apply` from it.
import type { KindDefinition } from '../kind.ts'
import { addCustomSchema, customDefinition, customListDefinition } from './custom-schema.ts'
import { loadedDocs, type Docs } from './docs.ts'
import { resourcesPath, type DiscoveryPath } from './discovery-paths.ts'
import { codeText, patchTypes, pathsOf, queryType, tagOf, type Operation, type PathParameter } from './operations.ts'
import { listModelOf, SchemaCollector } from './schemas.ts'

interface References {
  readonly object: object
  readonly list: object
  readonly status: object
  readonly deleteOptions: object
  readonly watchEvent: object
}

const patchDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch'

/** `kinds` are those of the group and version. Descriptions are in it once `loadDocs()` has run. */
export function openApiV3(groupVersion: string, kinds: readonly KindDefinition[], docs: Docs = loadedDocs()): object {
  const collector = new SchemaCollector(3, docs)
  const [group, version] = groupVersion.includes('/')
    ? (groupVersion.split('/') as [string, string])
    : ['', groupVersion]
  const resources = resourcesPath(group, version)
  const paths: Record<string, object> = { [resources.path]: { get: discoveryOperation(resources, collector) } }
  for (const kind of kinds) {
    const references = referencesOf(kind, collector, group, version)
    for (const { path, parameters, operations } of pathsOf(kind)) {
      paths[path] = {
        ...Object.fromEntries(
          operations.map(operation => [operation.method, operationObject(kind, operation, references, collector)]),
        ),
        parameters: parameters.map(parameterObject),
      }
    }
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths,
    components: {
      schemas: collector.schemas,
      securitySchemes: {
        BearerToken: {
          type: 'apiKey',
          in: 'header',
          name: 'authorization',
          description: 'Bearer Token authentication',
        },
      },
    },
  }
}

function referencesOf(kind: KindDefinition, collector: SchemaCollector, group: string, version: string): References {
  const custom = kind.openApiSchema !== undefined
  if (custom) addCustomSchema(kind, collector)
  const listModel = listModelOf(kind.model)
  const object = custom ? collector.reference(customDefinition(kind)) : collector.add(kind.model)
  const list = custom
    ? collector.reference(customListDefinition(kind))
    : listModel === undefined
      ? object
      : collector.add(listModel)
  collector.schemas[patchDefinition] ??= {
    description: 'A patch, in one of the forms that its content type names.',
    type: 'object',
  }
  return {
    object,
    list,
    status: collector.add('V1Status', [{ group: '', version: 'v1' }]),
    deleteOptions: collector.add('V1DeleteOptions', [{ group, version }]),
    watchEvent: collector.add('V1WatchEvent', [{ group, version }]),
  }
}

const parameterObject = ({ name, in: place, description }: PathParameter): object => ({
  name,
  in: place,
  ...(description !== undefined && { description }),
  ...(place === 'path' && { required: true }),
  schema: { type: place === 'path' ? 'string' : queryType(name), uniqueItems: true },
})

const contentOf = (types: readonly string[], schema: object): object =>
  Object.fromEntries(types.map(type => [type, { schema }]))

function discoveryOperation({ id, description, tag, model, types }: DiscoveryPath, collector: SchemaCollector): object {
  const schema = model === undefined ? { type: 'string' } : collector.add(model)
  return {
    tags: [tag],
    description,
    operationId: id,
    responses: { 200: { description: 'OK', content: contentOf(types, schema) }, 401: { description: 'Unauthorized' } },
  }
}

function operationObject(
  kind: KindDefinition,
  operation: Operation,
  references: References,
  collector: SchemaCollector,
): object {
  const { group, version, kind: name } = operation.of ?? kind.resource
  const object = operation.of?.model === undefined ? references.object : collector.add(operation.of.model)
  const schemas = { ...references, object, text: { type: 'string' } }
  const responses = Object.fromEntries(
    operation.codes.map(code => [
      code,
      { description: codeText(code), content: contentOf(operation.types, schemas[operation.answer]) },
    ]),
  )
  const bodies = { object: ['*/*'], patch: patchTypes(kind), deleteOptions: ['*/*'] }
  const { body } = operation
  return {
    tags: [tagOf(kind)],
    description: operation.description,
    operationId: operation.id,
    ...(operation.query.length > 0 && {
      parameters: operation.query.map(query => parameterObject({ name: query, in: 'query' })),
    }),
    ...(body !== undefined && {
      requestBody: {
        content: contentOf(bodies[body], body === 'patch' ? collector.reference(patchDefinition) : schemas[body]),
        ...(body !== 'deleteOptions' && { required: true }),
      },
    }),
    responses: { ...responses, 401: { description: 'Unauthorized' } },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { group, kind: name, version },
  }
}
