// Randomness and ids as an argument, so that tests can fix them.

export interface Random {
  /** A version 4 UUID. */
  uuid(): string
  /** Uniform in [0, 1). */
  fraction(): number
}

/** Kubernetes' alphabet for generated names: no vowels and no digits that look like letters. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** The random ending that `generateName` and controllers append, five characters by default. */
export function nameSuffix(random: Random, length = 5): string {
  let suffix = ''
  for (let index = 0; index < length; index++)
    suffix += suffixAlphabet[Math.floor(random.fraction() * suffixAlphabet.length)]
  return suffix
}
