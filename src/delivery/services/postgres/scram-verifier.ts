// What PostgreSQL stores of a password (RFC 5803). Made here, the password itself never travels, so it cannot stand
// in the server's log of statements; and whether a stored one fits can be told without a login.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

const digest = 'sha256'
const iterations = 4096

export const scramVerifier = (password: string): string => verifier(password, randomBytes(16), iterations)

function verifier(password: string, salt: Buffer, iterations: number): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, digest)
  const keyOf = (name: string): Buffer => createHmac(digest, salted).update(name).digest()
  const storedKey = createHash(digest).update(keyOf('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${keyOf('Server Key').toString('base64')}`
}

/** @returns undefined when what is stored is of another kind */
export function verifierFits(stored: string, password: string): boolean | undefined {
  const [, count, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(stored) ?? []
  if (count === undefined || salt === undefined) return undefined
  return verifier(password, Buffer.from(salt, 'base64'), Number(count)) === stored
}
