// What a program said before it failed, without the values of the release's secrets: programs like to print the address
// of the database that does not answer, with its password.
import { strikeOut } from '../../lib/strike-out.ts'
import type { Engine } from '../engine/engine.ts'
import type { Bundle, Place } from '../engine/parts.ts'
import { entryOf } from '../plan/bundles.ts'

/** Shorter ones stand in too many words, and keep nothing secret. */
const shortest = 4

/** @param bundles of the releases that spoke; where they cannot be read, nothing is shown */
export async function withoutSecrets(
  engine: Engine,
  place: Place,
  bundles: readonly string[],
  lines: readonly string[],
): Promise<readonly string[]> {
  if (lines.length === 0) return lines
  try {
    const read = await Promise.all([...new Set(bundles)].map(name => engine.readBundle(place, name)))
    const secrets = read.flatMap(bundle => (bundle?.secret === true ? secretsOf(bundle) : []))
    return lines.map(line => strikeOut(line, secrets))
  } catch (error) {
    return [`what it said is not shown, because its secrets could not be read: ${(error as Error).message}`]
  }
}

/** Of credentials the password alone: where a server is, and as whom one comes there, is what people need to read. */
function secretsOf(bundle: Bundle): string[] {
  const password = entryOf(bundle, 'password')
  const values = password === undefined ? Object.keys(bundle.entries).map(key => entryOf(bundle, key)!) : [password]
  return values.flatMap(value => [value, ...value.split(/\r?\n/)]).filter(value => value.trim().length >= shortest)
}
