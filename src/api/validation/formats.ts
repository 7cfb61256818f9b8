// The string formats of Kubernetes (apimachinery pkg/util/validation). Each check returns what is wrong
// with the value, in Kubernetes' words; an empty list means valid.

export type Check = (value: string) => string[]

const regexError = (message: string, format: string, ...examples: readonly string[]): string =>
  examples.length === 0
    ? `${message} (regex used for validation is '${format}')`
    : `${message} (e.g. ${examples.map(example => `'${example}', `).join(' or ')}regex used for validation is '${format}')`

const tooLongMessage = (bytes: number): string => `must be no more than ${bytes} bytes`
const emptyMessage = 'must be non-empty'

/** Nearly every value is valid; nothing is made for those. */
const fine: string[] = []

function check(pattern: RegExp, message: string, maximum = Infinity): Check {
  return value => {
    const matches = pattern.test(value)
    if (value.length > maximum) return matches ? [tooLongMessage(maximum)] : [tooLongMessage(maximum), message]
    return matches ? fine : [message]
  }
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const anchored = (format: string): RegExp => new RegExp(`^(?:${format})$`)

export const checkLabel: Check = check(
  anchored(label),
  regexError(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    label,
    'my-name',
    '123-abc',
  ),
  63,
)

export const checkSubdomain: Check = check(
  anchored(subdomain),
  regexError(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    subdomain,
    'example.com',
  ),
  253,
)

export const checkLabel1035: Check = check(
  anchored(label1035),
  regexError(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    label1035,
    'my-name',
    'abc-123',
  ),
  63,
)

const qualifiedMessage = regexError(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualified,
  'MyName',
  'my.name',
  '123-abc',
)
const checkNamePart = check(anchored(qualified), qualifiedMessage, 63)
const shortQualifiedName = anchored(`(${subdomain}/)?${qualified}`)

/** `name` or `example.com/name`: label keys, annotations, finalizers, condition types. */
export function checkQualifiedName(value: string): string[] {
  if (value.length <= 63 && shortQualifiedName.test(value)) return fine
  const parts = value.split('/')
  if (parts.length > 2)
    return [
      `a qualified name ${qualifiedMessage} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  const name = parts.at(-1)!
  const prefix = parts.length === 2 ? parts[0]! : undefined
  return [
    ...(prefix === undefined
      ? []
      : prefix === ''
        ? [`prefix part ${emptyMessage}`]
        : checkSubdomain(prefix).map(found => `prefix part ${found}`)),
    ...(name === '' ? [`name part ${emptyMessage}`] : []),
    ...checkNamePart(name).map(found => `name part ${found}`),
  ]
}

export const checkLabelValue: Check = check(
  anchored(`(${qualified})?`),
  regexError(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    `(${qualified})?`,
    'MyValue',
    'my_value',
    '12345',
  ),
  63,
)

/** Names that only have to fit into a URL: roles, custom kinds' storage names. */
export function checkPathSegment(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter(illegal => value.includes(illegal)).map(illegal => `may not contain '${illegal}'`)
}

/** Port names: at least one letter, no doubled hyphen. */
export function checkPortName(value: string): string[] {
  if (value.length <= 15 && /^(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/.test(value)) return fine
  return [
    ...(value.length > 15 ? ['must be no more than 15 characters'] : []),
    ...(/^[-a-z0-9]+$/.test(value) ? [] : ['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']),
    ...(/[a-z]/.test(value) ? [] : ['must contain at least one letter (a-z)']),
    ...(value.includes('--') ? ['must not contain consecutive hyphens'] : []),
    ...(/^-|-$/.test(value) ? ['must not begin or end with a hyphen'] : []),
  ]
}

export const portRangeMessage = 'must be between 1 and 65535, inclusive'
export const isPort = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 65_535

/** Printable ASCII but for `=` (the rule since 1.34). */
export const checkEnvironmentName: Check = check(
  /^[\x20-\x3c\x3e-\x7e]*$/,
  "a valid environment variable name must consist only of printable ASCII characters other than '='",
)

const configKey = '[-._a-zA-Z0-9]+'
const checkKeyCharacters = check(
  anchored(configKey),
  regexError(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    configKey,
    'key.name',
    'KEY_NAME',
    'key-name',
  ),
  253,
)
export function checkConfigKey(value: string): string[] {
  return [
    ...checkKeyCharacters(value),
    ...(value === '.' || value === '..'
      ? [`must not be '${value}'`]
      : value.startsWith('..')
        ? ["must not start with '..'"]
        : []),
  ]
}

export const isIPv4 = (value: string): boolean => /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(value)

export function isIPv6(value: string): boolean {
  const halves = value.split('::')
  if (halves.length > 2 || !/^[0-9a-fA-F:.]+$/.test(value)) return false
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1)
  const embedded = last !== undefined && last.includes('.')
  if (embedded && !isIPv4(last)) return false
  const plain = embedded ? groups.slice(0, -1) : groups
  const count = plain.length + (embedded ? 2 : 0)
  return plain.every(group => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? count < 8 : count === 8)
}

export const ipMessage = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
export const isIP = (value: string): boolean => isIPv4(value) || isIPv6(value)
