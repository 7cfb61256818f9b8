// /openapi/v2: one document with everything, for clients older than version 3 of the format.
import type { KindDefinition } from '../kind.ts'
import { addCustomSchema, customDefinition, customListDefinition } from './custom-schema.ts'
import { loadedDocs, type Docs } from './docs.ts'
import { discoveryPaths, type DiscoveryPath } from './discovery-paths.ts'
import { codeText, patchTypes, pathsOf, queryType, tagOf, type Operation, type PathParameter } from './operations.ts'
import { listModelOf, SchemaCollector } from './schemas.ts'

const patchDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch'

export function openApiV2(kinds: readonly KindDefinition[], docs: Docs = loadedDocs()): object {
  const collector = new SchemaCollector(2, docs)
  collector.schemas[patchDefinition] = {
    description: 'A patch, in one of the forms that its content type names.',
    type: 'object',
  }
  const status = collector.add('V1Status', [{ group: '', version: 'v1' }])
  const versions = [
    ...new Map(kinds.map(({ resource: { group, version } }) => [`${group}/${version}`, { group, version }])).values(),
  ]
  const deleteOptions = collector.add('V1DeleteOptions', versions)
  const watchEvent = collector.add('V1WatchEvent', versions)
  const paths: Record<string, object> = Object.fromEntries(
    discoveryPaths(kinds).map(each => [each.path, { get: discoveryOperation(each, collector) }]),
  )
  for (const kind of kinds) {
    if (kind.openApiSchema !== undefined) addCustomSchema(kind, collector)
    const custom = kind.openApiSchema === undefined ? undefined : customDefinition(kind)
    const object = custom === undefined ? collector.add(kind.model) : collector.reference(custom)
    const listModel = listModelOf(kind.model)
    const list =
      custom !== undefined
        ? collector.reference(customListDefinition(kind))
        : listModel === undefined
          ? object
          : collector.add(listModel)
    const references = { object, list, status, deleteOptions, watchEvent, patch: collector.reference(patchDefinition) }
    for (const { path, parameters, operations } of pathsOf(kind)) {
      paths[path] = {
        ...Object.fromEntries(
          operations.map(operation => [
            operation.method,
            operationObject(
              kind,
              operation,
              operation.of?.model === undefined
                ? references
                : { ...references, object: collector.add(operation.of.model) },
            ),
          ]),
        ),
        parameters: parameters.map(parameterObject),
      }
    }
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths,
    definitions: collector.schemas,
    securityDefinitions: {
      BearerToken: { type: 'apiKey', in: 'header', name: 'authorization', description: 'Bearer Token authentication' },
    },
    security: [{ BearerToken: [] }],
  }
}

const parameterObject = ({ name, in: place, description }: PathParameter): object => ({
  ...(description !== undefined && { description }),
  in: place,
  name,
  ...(place === 'path' && { required: true }),
  type: place === 'path' ? 'string' : queryType(name),
  uniqueItems: true,
})

function discoveryOperation(
  { id, description, tag, model, types, takesBody }: DiscoveryPath,
  collector: SchemaCollector,
): object {
  const schema = model === undefined ? { type: 'string' } : collector.add(model)
  return {
    ...(takesBody && { consumes: types }),
    produces: types,
    schemes: ['https'],
    tags: [tag],
    description,
    operationId: id,
    responses: { 200: { description: 'OK', schema }, 401: { description: 'Unauthorized' } },
  }
}

function operationObject(
  kind: KindDefinition,
  operation: Operation,
  given: Readonly<Record<'object' | 'list' | 'status' | 'deleteOptions' | 'watchEvent' | 'patch', object>>,
): object {
  const { group, version, kind: name } = operation.of ?? kind.resource
  const references = { ...given, text: { type: 'string' } }
  const { body } = operation
  const parameters = [
    ...(body === undefined
      ? []
      : [{ in: 'body', name: 'body', ...(body !== 'deleteOptions' && { required: true }), schema: references[body] }]),
    ...operation.query.map(query => parameterObject({ name: query, in: 'query' })),
  ]
  return {
    consumes: body === 'patch' ? patchTypes(kind) : ['*/*'],
    produces: operation.types,
    schemes: ['https'],
    tags: [tagOf(kind)],
    description: operation.description,
    operationId: operation.id,
    ...(parameters.length > 0 && { parameters }),
    responses: {
      ...Object.fromEntries(
        operation.codes.map(code => [code, { description: codeText(code), schema: references[operation.answer] }]),
      ),
      401: { description: 'Unauthorized' },
    },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { group, kind: name, version },
  }
}
