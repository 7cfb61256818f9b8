// A whole number among the parameters of a query, in the words of Go's strconv.ParseInt.
import { badRequest } from '../api/api-error.ts'

/** @throws ApiError BadRequest */
export function wholeNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}
