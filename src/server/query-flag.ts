/**
 * Whether a parameter of a query is set, as Kubernetes converts text to a boolean: whatever does not say no says yes.
 * Source: apimachinery pkg/runtime, Convert_Slice_string_To_bool.
 */
export function queryFlag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)
  return value !== null && !['false', '0'].includes(value.toLowerCase())
}
