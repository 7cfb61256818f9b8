// What a label's key and value may look like, in Kubernetes' words. Only selectors use this; objects are
// checked by the validation of metadata.

const nameMessage =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const prefixMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const valueMessage =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

const name = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const subdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

/** What is wrong with the key, or undefined. */
export function labelKeyProblem(key: string): string | undefined {
  const parts = key.split('/')
  if (parts.length > 2)
    return `a qualified name ${nameMessage.slice('name part '.length).replace(')', " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")}`
  const [prefix, last] = parts.length === 2 ? [parts[0]!, parts[1]!] : [undefined, parts[0]!]
  if (prefix === '') return 'prefix part must be non-empty'
  if (prefix !== undefined && prefix.length > 253) return 'prefix part must be no more than 253 characters'
  if (prefix !== undefined && !subdomain.test(prefix)) return `prefix part ${prefixMessage}`
  if (last === '') return 'name part must be non-empty'
  if (last.length > 63) return 'name part must be no more than 63 characters'
  return name.test(last) ? undefined : nameMessage
}

export function labelValueProblem(value: string): string | undefined {
  if (value.length > 63) return 'must be no more than 63 characters'
  return value === '' || name.test(value) ? undefined : valueMessage
}
