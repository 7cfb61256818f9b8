// /openapi/v3/... as protobuf, a form that client-go's openapi clients ask for. Source of the field numbers:
// openapiv3/OpenAPIv3.proto of gnostic.
import { isObject } from '../patch/json-value.ts'
import { Writer } from '../protobuf/writer.ts'
import {
  any,
  double,
  entries,
  flag,
  integer,
  list,
  map,
  message,
  text,
  wrapped,
  type Encoder,
} from './gnostic-messages.ts'

const reference = message({ $ref: [1, text], summary: [2, text], description: [3, text] })

/** The thing itself, or where it is. */
const orReference =
  (encoder: Encoder): Encoder =>
  (writer, number, value) => {
    if (isObject(value))
      (typeof value['$ref'] === 'string' ? wrapped(2, reference) : wrapped(1, encoder))(writer, number, value)
  }

/** Only scalars can be defaults. */
const defaultType: Encoder = (writer, number, value) => {
  if (typeof value === 'number') wrapped(1, double)(writer, number, value)
  else if (typeof value === 'boolean') wrapped(2, flag)(writer, number, value)
  else if (typeof value === 'string') wrapped(3, text)(writer, number, value)
}

const schema: Encoder = (writer, number, value) => schemaMessage(writer, number, value)
const schemaOrReference = orReference(schema)
const externalDocs = message({ description: [1, text], url: [2, text] }, 3)
const schemaMessage = message(
  {
    nullable: [1, flag],
    readOnly: [3, flag],
    writeOnly: [4, flag],
    externalDocs: [6, externalDocs],
    example: [7, any],
    deprecated: [8, flag],
    title: [9, text],
    multipleOf: [10, double],
    maximum: [11, double],
    exclusiveMaximum: [12, flag],
    minimum: [13, double],
    exclusiveMinimum: [14, flag],
    maxLength: [15, integer],
    minLength: [16, integer],
    pattern: [17, text],
    maxItems: [18, integer],
    minItems: [19, integer],
    uniqueItems: [20, flag],
    maxProperties: [21, integer],
    minProperties: [22, integer],
    required: [23, list(text)],
    enum: [24, list(any)],
    type: [25, text],
    allOf: [26, list(schemaOrReference)],
    oneOf: [27, list(schemaOrReference)],
    anyOf: [28, list(schemaOrReference)],
    not: [29, schema],
    items: [30, wrapped(1, schemaOrReference)],
    properties: [31, map(1, schemaOrReference)],
    additionalProperties: [
      32,
      (writer, number, value) =>
        (typeof value === 'boolean' ? wrapped(2, flag) : wrapped(1, schemaOrReference))(writer, number, value),
    ],
    default: [33, defaultType],
    description: [34, text],
    format: [35, text],
  },
  36,
)

const content = map(1, message({ schema: [1, schemaOrReference], example: [2, any] }, 5))
const parameter = orReference(
  message(
    {
      name: [1, text],
      in: [2, text],
      description: [3, text],
      required: [4, flag],
      deprecated: [5, flag],
      allowEmptyValue: [6, flag],
      style: [7, text],
      explode: [8, flag],
      allowReserved: [9, flag],
      schema: [10, schemaOrReference],
      example: [11, any],
      content: [13, content],
    },
    14,
  ),
)
const requestBody = orReference(message({ description: [1, text], content: [2, content], required: [3, flag] }, 4))
const response = orReference(message({ description: [1, text], content: [3, content] }, 5))
const security = list(map(1, wrapped(1, list(text))))

const operation = message(
  {
    tags: [1, list(text)],
    summary: [2, text],
    description: [3, text],
    externalDocs: [4, externalDocs],
    operationId: [5, text],
    parameters: [6, list(parameter)],
    requestBody: [7, requestBody],
    responses: [8, map(2, response, 3)],
    deprecated: [10, flag],
    security: [11, security],
  },
  13,
)

const pathItem = message(
  {
    $ref: [1, text],
    summary: [2, text],
    description: [3, text],
    get: [4, operation],
    put: [5, operation],
    post: [6, operation],
    delete: [7, operation],
    options: [8, operation],
    head: [9, operation],
    patch: [10, operation],
    trace: [11, operation],
    parameters: [13, list(parameter)],
  },
  14,
)

const info = message({ title: [1, text], description: [2, text], version: [6, text] }, 7)
const securitySchemes = map(
  1,
  orReference(
    message(
      {
        type: [1, text],
        description: [2, text],
        name: [3, text],
        in: [4, text],
        scheme: [5, text],
        bearerFormat: [6, text],
      },
      9,
    ),
  ),
)

/**
 * Yields after each path and each schema, so that whoever runs it can let others have their turn.
 * @param document as `openApiV3` makes it
 * @returns the whole document
 */
export function* openApiV3Binary(document: object): Generator<undefined, Uint8Array> {
  const given = document as Record<string, unknown>
  const components = isObject(given['components']) ? given['components'] : {}
  const paths = yield* entries(1, given['paths'], pathItem)
  const schemas = yield* entries(1, components['schemas'], schemaOrReference)
  const writer = new Writer()
  text(writer, 1, given['openapi'])
  info(writer, 2, given['info'])
  writer.bytesField(4, paths)
  writer.messageField(5, () => {
    writer.bytesField(1, schemas)
    securitySchemes(writer, 7, components['securitySchemes'])
  })
  security(writer, 6, given['security'])
  return writer.finish()
}
