// Compares an answer with a recorded one: everything must be the same but what differs from run to run
// (identifiers, times, revisions, generated names, allocated addresses).

const isTime = (value: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value)
const isUuid = (value: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value)
const volatileKeys = new Set([
  'resourceVersion',
  'token',
  'expirationTimestamp',
  'continue',
  'clusterIP',
  'clusterIPs',
  'nodePort',
  'healthCheckNodePort',
])

/** Values that are the same in every run, for comparing text that contains others. */
function masked(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replaceAll(/kube-api-access-[a-z0-9]{5}/g, 'kube-api-access-<suffix>')
    .replaceAll(/(resource version: \d+)(?: \(\d+\)|, current: \d+)/g, '$1 <current>')
    .replaceAll(/10\.\d+\.\d+\.\d+(\/\d+)?/g, '<address>')
}

/** Paths at which the two differ, with what was expected and found. */
export function differences(expected: unknown, found: unknown, path = ''): string[] {
  if (typeof expected === 'string' && typeof found === 'string') {
    if (expected === found || (isTime(expected) && isTime(found)) || (isUuid(expected) && isUuid(found))) return []
    return masked(expected) === masked(found)
      ? []
      : [`${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`]
  }
  if (Array.isArray(expected) && Array.isArray(found)) {
    const lengths =
      expected.length === found.length ? [] : [`${path}: expected ${expected.length} items, found ${found.length}`]
    return [
      ...lengths,
      ...expected.flatMap((item, index) =>
        index < found.length ? differences(item, found[index], `${path}[${index}]`) : [],
      ),
    ]
  }
  if (isObject(expected) && isObject(found)) return objectDifferences(expected, found, path)
  return Object.is(expected, found)
    ? []
    : [`${path}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function objectDifferences(expected: Record<string, unknown>, found: Record<string, unknown>, path: string): string[] {
  const expectedKeys = new Map(Object.keys(expected).map(key => [masked(key), key]))
  const foundKeys = new Map(Object.keys(found).map(key => [masked(key), key]))
  const problems: string[] = []
  for (const [name, key] of expectedKeys) {
    const other = foundKeys.get(name)
    if (other === undefined) problems.push(`${path}.${key}: missing, expected ${JSON.stringify(expected[key])}`)
    else if (!volatileKeys.has(name)) problems.push(...differences(expected[key], found[other], `${path}.${key}`))
  }
  for (const [name, key] of foundKeys)
    if (!expectedKeys.has(name)) problems.push(`${path}.${key}: unexpected ${JSON.stringify(found[key])}`)
  return problems
}
