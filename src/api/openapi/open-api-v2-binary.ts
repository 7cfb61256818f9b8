// /openapi/v2 as protobuf, the form that client-go's discovery asks for (`OpenAPISchema()`): Helm 3, kubectl
// before it sends a `kind: List`, many operators. Source of the field numbers: openapiv2/OpenAPIv2.proto of gnostic.
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
  type Fields,
} from './gnostic-messages.ts'

const externalDocs = message({ description: [1, text], url: [2, text] }, 3)

const oneOrMore =
  (element: Encoder): Encoder =>
  (writer, number, value) =>
    (Array.isArray(value) ? list(element) : element)(writer, number, value)

const schema: Encoder = (writer, number, value) => schemaMessage(writer, number, value)
const schemaMessage = message(
  {
    $ref: [1, text],
    format: [2, text],
    title: [3, text],
    description: [4, text],
    default: [5, any],
    multipleOf: [6, double],
    maximum: [7, double],
    exclusiveMaximum: [8, flag],
    minimum: [9, double],
    exclusiveMinimum: [10, flag],
    maxLength: [11, integer],
    minLength: [12, integer],
    pattern: [13, text],
    maxItems: [14, integer],
    minItems: [15, integer],
    uniqueItems: [16, flag],
    maxProperties: [17, integer],
    minProperties: [18, integer],
    required: [19, list(text)],
    enum: [20, list(any)],
    additionalProperties: [
      21,
      (writer, number, value) =>
        (typeof value === 'boolean' ? wrapped(2, flag) : wrapped(1, schema))(writer, number, value),
    ],
    type: [22, wrapped(1, oneOrMore(text))],
    items: [23, wrapped(1, oneOrMore(schema))],
    allOf: [24, list(schema)],
    properties: [25, map(1, schema)],
    discriminator: [26, text],
    readOnly: [27, flag],
    externalDocs: [29, externalDocs],
    example: [30, any],
  },
  31,
)

const reference = message({ $ref: [1, text], description: [2, text] })

const primitives: Encoder = (writer, number, value) => primitivesMessage(writer, number, value)

/** Says what the value of a parameter or of an element may be; the numbers follow one another from `first`. */
const primitiveFields = (first: number): Fields =>
  Object.fromEntries(
    (
      [
        ['type', text],
        ['format', text],
        ['items', primitives],
        ['collectionFormat', text],
        ['default', any],
        ['maximum', double],
        ['exclusiveMaximum', flag],
        ['minimum', double],
        ['exclusiveMinimum', flag],
        ['maxLength', integer],
        ['minLength', integer],
        ['pattern', text],
        ['maxItems', integer],
        ['minItems', integer],
        ['uniqueItems', flag],
        ['enum', list(any)],
        ['multipleOf', double],
      ] as const
    ).map(([name, encoder], index) => [name, [first + index, encoder]]),
  )
const primitivesMessage = message(primitiveFields(1), 18)

const parameterFields: Fields = { required: [1, flag], in: [2, text], description: [3, text], name: [4, text] }
const plainParameter = message({ ...parameterFields, ...primitiveFields(5) }, 22)
const emptiableParameter = message({ ...parameterFields, allowEmptyValue: [5, flag], ...primitiveFields(6) }, 23)
const bodyParameter = message(
  { description: [1, text], name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] },
  6,
)

const parametersByPlace: Readonly<Record<string, Encoder>> = {
  body: wrapped(1, bodyParameter),
  header: wrapped(2, wrapped(1, plainParameter)),
  formData: wrapped(2, wrapped(2, emptiableParameter)),
  query: wrapped(2, wrapped(3, emptiableParameter)),
  path: wrapped(2, wrapped(4, plainParameter)),
}

const parameter: Encoder = (writer, number, value) => {
  if (!isObject(value)) return
  const place = parametersByPlace[String(value['in'])]
  if (place !== undefined) wrapped(1, place)(writer, number, value)
  else if ('$ref' in value) wrapped(2, reference)(writer, number, value)
}

const response: Encoder = (writer, number, value) => {
  if (isObject(value) && '$ref' in value) wrapped(2, reference)(writer, number, value)
  else wrapped(1, message({ description: [1, text], schema: [2, wrapped(1, schema)] }, 5))(writer, number, value)
}

const security = list(map(1, wrapped(1, list(text))))

const operation = message(
  {
    tags: [1, list(text)],
    summary: [2, text],
    description: [3, text],
    externalDocs: [4, externalDocs],
    operationId: [5, text],
    produces: [6, list(text)],
    consumes: [7, list(text)],
    parameters: [8, list(parameter)],
    responses: [9, map(1, response, 2)],
    schemes: [10, list(text)],
    deprecated: [11, flag],
    security: [12, security],
  },
  13,
)

const pathItem = message(
  {
    $ref: [1, text],
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, list(parameter)],
  },
  10,
)

/** Of the ways to prove who one is, only keys in a header occur. */
const securityDefinition: Encoder = (writer, number, value) => {
  if (isObject(value) && value['type'] === 'apiKey')
    wrapped(2, message({ type: [1, text], name: [2, text], in: [3, text], description: [4, text] }, 5))(
      writer,
      number,
      value,
    )
}

const documentFields: Fields = {
  swagger: [1, text],
  info: [2, message({ title: [1, text], version: [2, text], description: [3, text] }, 7)],
  security: [12, security],
  securityDefinitions: [13, map(1, securityDefinition)],
}
const pathsNumber = 8
const definitionsNumber = 9

/**
 * Yields after each path and each definition, so that whoever runs it can let others have their turn.
 * @param document as `openApiV2` makes it
 * @returns the whole document
 */
export function* openApiV2Binary(document: object): Generator<undefined, Uint8Array> {
  const content = document as Record<string, unknown>
  const paths = yield* entries(2, content['paths'], pathItem)
  const definitions = yield* entries(1, content['definitions'], schema)
  const writer = new Writer()
  for (const [name, [number, encoder]] of Object.entries(documentFields)) encoder(writer, number, content[name])
  writer.bytesField(pathsNumber, paths)
  writer.bytesField(definitionsNumber, definitions)
  return writer.finish()
}
