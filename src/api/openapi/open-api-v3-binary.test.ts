// Decodes whole documents with another implementation of protobuf, by the field numbers of gnostic's
// OpenAPIv3.proto, and holds them against the JSON form.
import protobuf from 'protobufjs'
import { expect, test } from 'vitest'
import { allKinds } from '../kinds/all.ts'
import { loadDocs } from './docs.ts'
import { openApiV3 } from './open-api-v3.ts'
import { openApiV3Binary } from './open-api-v3-binary.ts'

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Any { string yaml = 2; }
  message NamedAny { string name = 1; Any value = 2; }
  message Reference { string ref = 1; }
  message DefaultType { oneof kind { double number = 1; bool boolean = 2; string string = 3; } }
  message Schema {
    bool nullable = 1; Any example = 7; string title = 9; double multiple_of = 10; double maximum = 11; bool exclusive_maximum = 12; double minimum = 13; bool exclusive_minimum = 14;
    int64 max_length = 15; int64 min_length = 16; string pattern = 17; int64 max_items = 18; int64 min_items = 19; bool unique_items = 20; int64 max_properties = 21; int64 min_properties = 22;
    repeated string required = 23; repeated Any enum = 24; string type = 25; repeated SchemaOrReference all_of = 26; repeated SchemaOrReference one_of = 27; repeated SchemaOrReference any_of = 28;
    Schema not = 29; ItemsItem items = 30; NamedSchemas properties = 31; AdditionalPropertiesItem additional_properties = 32; DefaultType default = 33; string description = 34; string format = 35;
    repeated NamedAny specification_extension = 36;
  }
  message SchemaOrReference { oneof kind { Schema schema = 1; Reference reference = 2; } }
  message ItemsItem { repeated SchemaOrReference schema_or_reference = 1; }
  message AdditionalPropertiesItem { oneof kind { SchemaOrReference schema_or_reference = 1; bool boolean = 2; } }
  message NamedSchema { string name = 1; SchemaOrReference value = 2; }
  message NamedSchemas { repeated NamedSchema additional_properties = 1; }
  message MediaType { SchemaOrReference schema = 1; }
  message NamedMediaType { string name = 1; MediaType value = 2; }
  message MediaTypes { repeated NamedMediaType additional_properties = 1; }
  message Parameter { string name = 1; string in = 2; string description = 3; bool required = 4; SchemaOrReference schema = 10; }
  message ParameterOrReference { Parameter parameter = 1; }
  message RequestBody { MediaTypes content = 2; bool required = 3; }
  message RequestBodyOrReference { RequestBody request_body = 1; }
  message Response { string description = 1; MediaTypes content = 3; }
  message ResponseOrReference { Response response = 1; }
  message NamedResponse { string name = 1; ResponseOrReference value = 2; }
  message Responses { repeated NamedResponse response_or_reference = 2; }
  message Operation {
    repeated string tags = 1; string description = 3; string operation_id = 5; repeated ParameterOrReference parameters = 6; RequestBodyOrReference request_body = 7; Responses responses = 8;
    repeated NamedAny specification_extension = 13;
  }
  message PathItem {
    Operation get = 4; Operation put = 5; Operation post = 6; Operation delete = 7; Operation options = 8; Operation head = 9; Operation patch = 10; repeated ParameterOrReference parameters = 13;
  }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message Paths { repeated NamedPathItem path = 1; }
  message SecurityScheme { string type = 1; string description = 2; string name = 3; string in = 4; }
  message SecuritySchemeOrReference { SecurityScheme security_scheme = 1; }
  message NamedSecurityScheme { string name = 1; SecuritySchemeOrReference value = 2; }
  message SecuritySchemes { repeated NamedSecurityScheme additional_properties = 1; }
  message Components { NamedSchemas schemas = 1; SecuritySchemes security_schemes = 7; }
  message Info { string title = 1; string version = 6; }
  message Document { string openapi = 1; Info info = 2; Paths paths = 4; Components components = 5; }
`)

/* oxlint-disable typescript/no-explicit-any -- decoded messages are of many shapes */
function decoded(document: object): any {
  const work = openApiV3Binary(document)
  const type = root.lookupType('Document')
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return asJson(type.toObject(type.decode(value), { longs: Number }))
  }
}

const any = ({ yaml }: any): unknown => JSON.parse(yaml)
const named = (pairs: any[] = [], read: (value: any) => unknown): any =>
  Object.fromEntries(pairs.map(({ name, value }) => [name, read(value ?? {})]))
const orReference = ({ schema: found, reference }: any): any =>
  reference === undefined ? schema(found) : { $ref: reference.ref }

function schema({
  default: standard,
  enum: values,
  additionalProperties,
  items,
  allOf,
  oneOf,
  anyOf,
  not,
  properties,
  example,
  specificationExtension,
  ...rest
}: any): any {
  const lists = Object.entries({ allOf, oneOf, anyOf }).flatMap(([name, list]) =>
    list === undefined ? [] : [[name, list.map(orReference)]],
  )
  return {
    ...rest,
    ...named(specificationExtension, any),
    ...Object.fromEntries(lists),
    ...(standard !== undefined && { default: standard.number ?? standard.boolean ?? standard.string }),
    ...(values !== undefined && { enum: values.map(any) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: additionalProperties.boolean ?? orReference(additionalProperties.schemaOrReference),
    }),
    ...(items !== undefined && { items: orReference(items.schemaOrReference[0]) }),
    ...(properties !== undefined && { properties: named(properties.additionalProperties, orReference) }),
    ...(not !== undefined && { not: schema(not) }),
    ...(example !== undefined && { example: any(example) }),
  }
}

const content = (types: any): any =>
  named(types.additionalProperties, ({ schema: found }) => ({ schema: orReference(found) }))
const parameters = (list: any[]): any =>
  list.map(({ parameter }) => ({ ...parameter, schema: orReference(parameter.schema) }))
const withParameters = ({ parameters: list, ...rest }: any): any => ({
  ...rest,
  ...(list !== undefined && { parameters: parameters(list) }),
})

function operation({ requestBody, responses, specificationExtension, ...rest }: any): any {
  return {
    ...withParameters(rest),
    ...named(specificationExtension, any),
    ...(requestBody !== undefined && {
      requestBody: { ...requestBody.requestBody, content: content(requestBody.requestBody.content) },
    }),
    responses: named(responses.responseOrReference, ({ response: { content: types, ...more } }) => ({
      ...more,
      ...(types !== undefined && { content: content(types) }),
    })),
  }
}

function pathItem({ parameters: list, ...operations }: any): any {
  return {
    ...Object.fromEntries(Object.entries(operations).map(([method, each]) => [method, operation(each)])),
    ...withParameters({ parameters: list }),
  }
}

function asJson({ paths, components: { schemas, securitySchemes }, ...rest }: any): any {
  return {
    ...rest,
    paths: named(paths.path, pathItem),
    components: {
      schemas: named(schemas.additionalProperties, orReference),
      ...(securitySchemes && {
        securitySchemes: named(securitySchemes.additionalProperties, each => each.securityScheme),
      }),
    },
  }
}

test.each(['v1', 'apps/v1', 'apiextensions.k8s.io/v1'])(
  'the binary form of OpenAPI v3 says of %s what the JSON form says',
  async groupVersion => {
    const kinds = allKinds.filter(
      ({ resource: { group, version } }) => (group === '' ? version : `${group}/${version}`) === groupVersion,
    )
    const document = JSON.parse(JSON.stringify(openApiV3(groupVersion, kinds, await loadDocs()))) as any
    expect(Object.keys(document.paths).length).toBeGreaterThan(5)
    expect(decoded(document)).toEqual(document)
  },
)

test('everything else that a schema of a custom resource can say', () => {
  const rich = {
    type: 'object',
    title: 't',
    nullable: true,
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
    default: '',
    example: [1],
    additionalProperties: { type: 'string' },
    allOf: [{ type: 'object' }],
    oneOf: [{ required: ['a'] }],
    anyOf: [{ $ref: '#/components/schemas/rich' }],
    not: { type: 'array' },
    properties: {
      'x-data': { type: 'string' },
      open: { additionalProperties: false },
      on: { type: 'boolean', default: false },
      many: { type: 'array', items: { type: 'number', default: 0 } },
    },
    'x-kubernetes-preserve-unknown-fields': true,
  }
  const document = JSON.parse(
    JSON.stringify({
      openapi: '3.0.0',
      info: { title: 'a', version: 'b' },
      paths: {},
      components: { schemas: { rich } },
    }),
  ) as object
  expect(decoded(document)).toEqual(document)
})

test('leaves out what is not of the type that the format has for it', () => {
  const wrong = {
    openapi: 3,
    info: [],
    paths: { '/a': 'text', '/b': { parameters: {} } },
    components: { schemas: { a: { description: 1, required: 'x', properties: [], default: { a: 1 } } } },
  }
  expect(decoded(wrong)).toEqual({ paths: { '/a': {}, '/b': {} }, components: { schemas: { a: {} } } })
})
