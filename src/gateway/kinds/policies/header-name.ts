// The name of a header, as policies have it. Source: RFC 9110, "token".
import type { JSONSchemaProps as Schema } from '../../../api/generated/models.ts'
import { text } from '../schema.ts'

export const headerName: Schema = { ...text(256, 1), pattern: "^[A-Za-z0-9!#$%&'*+.^_|~-]+$" }
