// /openapi/v2: one document with everything, for clients older than version 3 of the format.
import type { KindDefinition } from '../kind.ts'
import { hasModel } from '../schema/schema.ts'
import { addCustomSchema, customDefinition, customListDefinition } from './custom-schema.ts'
import { loadedDocs, type Docs } from './docs.ts'
import { codeText, patchTypes, pathsOf, queryType, tagOf, type Operation } from './operations.ts'
import { SchemaCollector } from './schemas.ts'

const patchDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch'
const answerTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

export function openApiV2(kinds: readonly KindDefinition[], docs: Docs = loadedDocs()): object {
  const collector = new SchemaCollector(2, docs)
  collector.schemas[patchDefinition] = { description: 'A patch, in one of the forms that its content type names.', type: 'object' }
  const status = collector.add('V1Status', [{ group: '', version: 'v1' }])
  const deleteOptions = collector.add('V1DeleteOptions', [...new Map(kinds.map(({ resource: { group, version } }) => [`${group}/${version}`, { group, version }])).values()])
  const paths: Record<string, object> = {}
  for (const kind of kinds) {
    if (kind.openApiSchema !== undefined) addCustomSchema(kind, collector)
    const custom = kind.openApiSchema === undefined ? undefined : customDefinition(kind)
    const object = custom === undefined ? collector.add(kind.model) : collector.reference(custom)
    const list = custom !== undefined ? collector.reference(customListDefinition(kind)) : hasModel(`${kind.model}List`) ? collector.add(`${kind.model}List`) : object
    const references = { object, list, status, deleteOptions, patch: collector.reference(patchDefinition) }
    for (const { path, parameters, operations } of pathsOf(kind)) {
      paths[path] = {
        ...Object.fromEntries(operations.map(operation => [operation.method, operationObject(kind, operation, operation.of === undefined ? references : { ...references, object: collector.add(operation.of.model) })])),
        parameters: parameters.map(name => ({ name, in: 'path', required: true, type: 'string', uniqueItems: true })),
      }
    }
  }
  return {
    swagger: '2.0', info: { title: 'Kubernetes', version: 'unversioned' }, paths, definitions: collector.schemas,
    securityDefinitions: { BearerToken: { type: 'apiKey', in: 'header', name: 'authorization', description: 'Bearer Token authentication' } }, security: [{ BearerToken: [] }],
  }
}

function operationObject(kind: KindDefinition, operation: Operation, given: Readonly<Record<'object' | 'list' | 'status' | 'deleteOptions' | 'patch', object>>): object {
  const { group, version, kind: name } = operation.of ?? kind.resource
  const references = { ...given, text: { type: 'string' } }
  const { body } = operation
  return {
    consumes: body === 'patch' ? patchTypes(kind) : ['*/*'], produces: operation.answer === 'text' ? ['text/plain', ...answerTypes] : answerTypes, schemes: ['https'], tags: [tagOf(kind)], description: operation.description, operationId: operation.id,
    parameters: [
      ...(body === undefined ? [] : [{ name: 'body', in: 'body', ...(body !== 'deleteOptions' && { required: true }), schema: references[body] }]),
      ...operation.query.map(query => ({ name: query, in: 'query', type: queryType(query), uniqueItems: true })),
    ],
    responses: { ...Object.fromEntries(operation.codes.map(code => [code, { description: codeText(code), schema: references[operation.answer] }])), 401: { description: 'Unauthorized' } },
    'x-kubernetes-action': operation.action, 'x-kubernetes-group-version-kind': { group, kind: name, version },
  }
}
