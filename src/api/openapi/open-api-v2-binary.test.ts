// Decodes the whole document with another implementation of protobuf, by the field numbers of gnostic's
// OpenAPIv2.proto, and holds it against the JSON form.
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { allKinds } from '../kinds/all.ts'
import { loadDocs } from './docs.ts'
import { openApiV2Binary } from './open-api-v2-binary.ts'
import { openApiV2 } from './open-api-v2.ts'

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Any { string yaml = 2; }
  message NamedAny { string name = 1; Any value = 2; }
  message Schema {
    string ref = 1; string format = 2; string title = 3; string description = 4; Any default = 5; double multiple_of = 6;
    double maximum = 7; bool exclusive_maximum = 8; double minimum = 9; bool exclusive_minimum = 10; int64 max_length = 11; int64 min_length = 12;
    string pattern = 13; int64 max_items = 14; int64 min_items = 15; bool unique_items = 16; repeated string required = 19; repeated Any enum = 20;
    AdditionalPropertiesItem additional_properties = 21; TypeItem type = 22; ItemsItem items = 23; repeated Schema all_of = 24; NamedSchemas properties = 25;
    repeated NamedAny vendor_extension = 31;
  }
  message AdditionalPropertiesItem { oneof kind { Schema schema = 1; bool boolean = 2; } }
  message TypeItem { repeated string value = 1; }
  message ItemsItem { repeated Schema schema = 1; }
  message NamedSchema { string name = 1; Schema value = 2; }
  message NamedSchemas { repeated NamedSchema additional_properties = 1; }
  message BodyParameter { string description = 1; string name = 2; string in = 3; bool required = 4; Schema schema = 5; }
  message QueryParameter { bool required = 1; string in = 2; string description = 3; string name = 4; bool allow_empty_value = 5; string type = 6; bool unique_items = 20; }
  message PathParameter { bool required = 1; string in = 2; string description = 3; string name = 4; string type = 5; bool unique_items = 19; }
  message NonBodyParameter { QueryParameter query = 3; PathParameter path = 4; }
  message Parameter { BodyParameter body = 1; NonBodyParameter other = 2; }
  message ParametersItem { Parameter parameter = 1; }
  message SchemaItem { Schema schema = 1; }
  message Response { string description = 1; SchemaItem schema = 2; }
  message ResponseValue { Response response = 1; }
  message NamedResponseValue { string name = 1; ResponseValue value = 2; }
  message Responses { repeated NamedResponseValue response_code = 1; }
  message Operation {
    repeated string tags = 1; string description = 3; string operation_id = 5; repeated string produces = 6; repeated string consumes = 7;
    repeated ParametersItem parameters = 8; Responses responses = 9; repeated string schemes = 10; repeated NamedAny vendor_extension = 13;
  }
  message PathItem { Operation get = 2; Operation put = 3; Operation post = 4; Operation delete = 5; Operation options = 6; Operation head = 7; Operation patch = 8; repeated ParametersItem parameters = 9; }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message Paths { repeated NamedPathItem path = 2; }
  message Info { string title = 1; string version = 2; }
  message StringArray { repeated string value = 1; }
  message NamedStringArray { string name = 1; StringArray value = 2; }
  message SecurityRequirement { repeated NamedStringArray additional_properties = 1; }
  message ApiKeySecurity { string type = 1; string name = 2; string in = 3; string description = 4; }
  message SecurityDefinitionsItem { ApiKeySecurity api_key_security = 2; }
  message NamedSecurityDefinitionsItem { string name = 1; SecurityDefinitionsItem value = 2; }
  message SecurityDefinitions { repeated NamedSecurityDefinitionsItem additional_properties = 1; }
  message Document {
    string swagger = 1; Info info = 2; Paths paths = 8; NamedSchemas definitions = 9; repeated SecurityRequirement security = 12; SecurityDefinitions security_definitions = 13;
  }
`)

/* oxlint-disable typescript/no-explicit-any -- decoded messages are of many shapes */
function decoded(document: object): any {
  const work = openApiV2Binary(document)
  for (;;) {
    const { done, value } = work.next()
    const type = root.lookupType('Document')
    if (done === true) return type.toObject(type.decode(value), { longs: Number })
  }
}

const any = ({ yaml }: any): unknown => JSON.parse(yaml)
const named = (pairs: any[] = [], read: (value: any) => unknown): any =>
  Object.fromEntries(pairs.map(({ name, value }) => [name, read(value ?? {})]))

function schema({
  ref,
  default: standard,
  enum: values,
  additionalProperties,
  type,
  items,
  allOf,
  properties,
  vendorExtension,
  ...rest
}: any): any {
  return {
    ...rest,
    ...named(vendorExtension, any),
    ...(ref !== undefined && { $ref: ref }),
    ...(standard !== undefined && { default: any(standard) }),
    ...(values !== undefined && { enum: values.map(any) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: additionalProperties.boolean ?? schema(additionalProperties.schema),
    }),
    ...(type !== undefined && { type: type.value[0] }),
    ...(items !== undefined && { items: schema(items.schema[0]) }),
    ...(allOf !== undefined && { allOf: allOf.map(schema) }),
    ...(properties !== undefined && { properties: named(properties.additionalProperties, schema) }),
  }
}

function parameter({ parameter: { body, other } }: any): any {
  return body === undefined ? (other.query ?? other.path) : { ...body, schema: schema(body.schema) }
}

function operation({ parameters, responses, vendorExtension, ...rest }: any): any {
  const answers = named(responses.responseCode, ({ response: { schema: answer, ...more } }) => ({
    ...more,
    ...(answer !== undefined && { schema: schema(answer.schema) }),
  }))
  return {
    ...rest,
    ...(parameters !== undefined && { parameters: parameters.map(parameter) }),
    responses: answers,
    ...named(vendorExtension, any),
  }
}

function pathItem({ parameters, ...operations }: any): any {
  return {
    ...Object.fromEntries(Object.entries(operations).map(([method, content]) => [method, operation(content)])),
    ...(parameters !== undefined && { parameters: parameters.map(parameter) }),
  }
}

/** What was decoded, in the form of JSON. */
function asJson({ paths, definitions, security, securityDefinitions, ...rest }: any): any {
  return {
    ...rest,
    paths: named(paths.path, pathItem),
    definitions: named(definitions.additionalProperties, schema),
    ...(security !== undefined && {
      security: security.map((each: any) => named(each.additionalProperties, ({ value = [] }) => value)),
    }),
    ...(securityDefinitions !== undefined && {
      securityDefinitions: named(securityDefinitions.additionalProperties, ({ apiKeySecurity }) => apiKeySecurity),
    }),
  }
}

describe('the binary form of OpenAPI v2', () => {
  test('says of every kind what the JSON form says', async () => {
    await loadDocs()
    const document = JSON.parse(JSON.stringify(openApiV2(allKinds))) as any
    const found = asJson(decoded(document))
    expect(Object.keys(found.paths)).toEqual(Object.keys(document.paths))
    expect(found).toEqual(document)
    expect(found.definitions['io.k8s.api.apps.v1.Deployment']['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', kind: 'Deployment', version: 'v1' },
    ])
    expect(found.paths['/api/v1/namespaces/{namespace}/pods'].get['x-kubernetes-action']).toBe('list')
  })

  test('everything else that a schema of a custom resource can say', () => {
    const rich = {
      type: 'object',
      title: 't',
      maximum: 2.5,
      minimum: -1,
      exclusiveMaximum: true,
      multipleOf: 0.5,
      minLength: 1,
      maxLength: 300,
      pattern: '^ü+$',
      minItems: 1,
      uniqueItems: true,
      enum: ['a', 1, null, { b: [] }],
      default: { a: '' },
      additionalProperties: { type: 'string' },
      allOf: [{ type: 'object' }],
      properties: {
        'x-data': { type: 'string' },
        open: { additionalProperties: false },
        __proto__: { type: 'integer' },
      },
      'x-kubernetes-preserve-unknown-fields': true,
    }
    const document = JSON.parse(
      JSON.stringify({ swagger: '2.0', info: { title: 'a', version: 'b' }, paths: {}, definitions: { rich } }),
    ) as object
    expect(asJson(decoded(document))).toEqual(document)
  })

  test('leaves out what is not of the type that the format has for it', () => {
    const wrong = {
      swagger: 2,
      info: [],
      paths: { '/a': 'text', '/b': { get: 7, parameters: {} } },
      definitions: { a: null, b: { description: 1, required: 'x', properties: [] } },
    }
    expect(asJson(decoded(wrong))).toEqual({ paths: { '/a': {}, '/b': {} }, definitions: { a: {}, b: {} } })
  })
})
