// What a Secret holds, as text: it travels in Base64. Pure.
import type { Secret } from '../api/generated/models.ts'

export const secretTexts = ({ data = {} }: Pick<Secret, 'data'>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
