// Names of objects out of the names that people gave elsewhere: what Kubernetes takes, and each once. Pure.
import { stableHash } from '../../lib/stable-hash.ts'

const mostCharacters = 63

/** As a name of a service has it, which is what all others take, too. Source: RFC 1035. */
export function plainName(text: string): string {
  const plain = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
  const named = /^[a-z]/.test(plain) ? plain : plain === '' ? `x-${stableHash(text)}` : `x-${plain}`
  return named.length <= mostCharacters ? named : `${named.slice(0, 50).replace(/-+$/, '')}-${stableHash(named)}`
}

export interface Names {
  /** A name that nothing else of the kind has. */
  readonly take: (kind: string, text: string) => string
}

export function newNames(): Names {
  const taken = new Set<string>()
  return {
    take: (kind, text) => {
      const plain = plainName(text)
      let name = plain
      for (let number = 2; taken.has(`${kind} ${name}`); number++) name = plainName(`${plain}-${number}`)
      taken.add(`${kind} ${name}`)
      return name
    },
  }
}
