// The fields of an object that somebody else wrote, read one after the other: what nobody asked for in the end is told, so
// that nothing gets lost without a word. Pure.
import type { Report } from './report.ts'

export interface Fields {
  /** Where it stands, for the report. */
  readonly at: string
  readonly report: Report
  /** `minute` -> `services orders / minute` */
  readonly place: (key: string) => string
  readonly has: (key: string) => boolean
  /** As it is; it counts as read. */
  readonly value: (key: string) => unknown
  readonly text: (key: string) => string | undefined
  readonly number: (key: string) => number | undefined
  readonly flag: (key: string) => boolean | undefined
  /** One text is a list of one. undefined: it is not there; a part that cannot be read leaves out all of it. */
  readonly texts: (key: string) => readonly string[] | undefined
  readonly object: (key: string) => Fields | undefined
  readonly objects: (key: string) => readonly Fields[]
  /** Tells of all that was not asked for. */
  readonly tellRest: (why: string) => void
  readonly unread: () => readonly string[]
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function fieldsOf(source: Readonly<Record<string, unknown>>, at: string, report: Report): Fields {
  const read = new Set<string>()
  const place = (key: string): string => (at === '' ? key : `${at} / ${key}`)
  const value = (key: string): unknown => {
    read.add(key)
    return source[key] ?? undefined
  }
  const wrong = (key: string, expected: string, found: unknown): undefined =>
    report.leftOut(place(key), `expected ${expected}, found ${typeName(found)}; correct it and import it again`)
  const plain = (key: string, found: unknown): string | undefined => {
    if (typeof found === 'number' || typeof found === 'boolean' || typeof found === 'bigint') return String(found)
    if (typeof found !== 'string') return wrong(key, 'a text', found)
    const elsewhere = keptElsewhere(found)
    if (elsewhere === undefined) return found
    return report.leftOut(place(key), elsewhere)
  }
  const scalar = <T>(key: string, valueOf: (text: string) => T | undefined, expected: string): T | undefined => {
    const found = value(key)
    const text = found === undefined ? undefined : plain(key, found)
    if (text === undefined) return undefined
    return valueOf(text.trim()) ?? wrong(key, expected, found)
  }
  const fields: Fields = {
    at,
    report,
    place,
    has: key => source[key] !== undefined && source[key] !== null,
    value,
    text: key => {
      const found = value(key)
      return found === undefined ? undefined : plain(key, found)
    },
    number: key =>
      scalar(key, text => (text === '' || Number.isNaN(Number(text)) ? undefined : Number(text)), 'a number'),
    flag: key => scalar(key, text => flags[text.toLowerCase()], 'true or false'),
    texts: key => {
      const found = value(key)
      if (found === undefined) return undefined
      const all = (Array.isArray(found) ? found : [found]).map((each: unknown) => plain(key, each))
      return all.every(each => each !== undefined) ? all : undefined
    },
    object: key => {
      const found = value(key)
      if (found === undefined) return undefined
      return isObject(found) ? fieldsOf(found, place(key), report) : wrong(key, 'fields', found)
    },
    objects: key => {
      const found = value(key)
      if (found === undefined) return []
      if (!Array.isArray(found)) return wrong(key, 'a list', found) ?? []
      return found.flatMap((each: unknown, index) => {
        const name = nameIn(each) ?? String(index)
        if (isObject(each)) return [fieldsOf(each, place(`${key} ${name}`), report)]
        return wrong(`${key} ${name}`, 'fields', each) ?? []
      })
    },
    unread: () => Object.keys(source).filter(key => !read.has(key) && source[key] !== null),
    tellRest: why => {
      for (const key of fields.unread()) {
        read.add(key)
        report.leftOut(place(key), why)
      }
    },
  }
  return fields
}

const flags: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  false: false,
  f: false,
  no: false,
  n: false,
}

/** A value that is not here, but in an environment or in a vault. Source: decK, environment variables; Kong, secrets. */
export function keptElsewhere(text: string): string | undefined {
  if (/\$\{\{/.test(text))
    return 'its value is taken from an environment (${{ env ... }}); write it in: deck file render --populate-env-vars'
  if (text.startsWith('{vault://')) return 'its value is kept in a vault; make the Secret of it, or write it in'
  return undefined
}

function nameIn(value: unknown): string | undefined {
  if (!isObject(value)) return undefined
  const name = value['name'] ?? value['username'] ?? value['id'] ?? value['target'] ?? value['group']
  return typeof name === 'string' && name !== '' ? name : undefined
}

const typeName = (value: unknown): string =>
  Array.isArray(value) ? 'a list' : value === null ? 'nothing' : isObject(value) ? 'fields' : `a ${typeof value}`
