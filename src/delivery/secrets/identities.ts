// Who somebody is to age: the secret keys that a process was given, or that stand in a person's own file.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SecretsError } from './secrets-error.ts'

export interface IdentitySource {
  /** The key itself, as in SAMPAN_AGE_KEY. */
  readonly key: string | undefined
  /** As in SAMPAN_AGE_KEY_FILE. */
  readonly keyFile: string | undefined
  readonly home: string
}

/** Takes the key out of the environment: no process that is started from here inherits it. */
export function takeIdentitySource(environment: NodeJS.ProcessEnv, home: string): IdentitySource {
  const { SAMPAN_AGE_KEY: key, SAMPAN_AGE_KEY_FILE: keyFile } = environment
  delete environment['SAMPAN_AGE_KEY']
  return { key: key || undefined, keyFile: keyFile || undefined, home }
}

export const identityFile = ({ keyFile, home }: IdentitySource): string =>
  keyFile ?? join(home, '.config', 'sampan', 'identity.txt')

export interface Identity {
  /** `AGE-SECRET-KEY-1...` */
  readonly key: string
  readonly recipient: string
}

/** @throws SecretsError when there is none, or others could read it */
export async function readIdentities(source: IdentitySource): Promise<Identity[]> {
  if (source.key !== undefined) return identitiesIn(source.key, 'SAMPAN_AGE_KEY')
  const file = identityFile(source)
  let text: string
  try {
    const others = statSync(file).mode & 0o077
    if (others !== 0)
      throw new SecretsError([
        `${file} can be read or written by others (mode ${(statSync(file).mode & 0o777).toString(8)}); make it yours with "chmod 600 ${file}", or give the key in SAMPAN_AGE_KEY where modes cannot be changed`,
      ])
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof SecretsError) throw error
    throw new SecretsError([
      `there is no identity to read secrets with: expected SAMPAN_AGE_KEY, a file that SAMPAN_AGE_KEY_FILE names, or ${file} (${(error as NodeJS.ErrnoException).code ?? 'unreadable'}); "sampan secret keygen" makes one`,
    ])
  }
  return identitiesIn(text, file)
}

async function identitiesIn(text: string, origin: string): Promise<Identity[]> {
  const { identityToRecipient } = await import('age-encryption')
  const keys = text
    .split(/\r?\n/)
    .map((line, index) => ({ key: line.trim(), line: index + 1 }))
    .filter(({ key }) => key !== '' && !key.startsWith('#'))
  if (keys.length === 0) throw new SecretsError([`${origin} has no identity: expected a line AGE-SECRET-KEY-1...`])
  return Promise.all(
    keys.map(async ({ key, line }) => {
      try {
        return { key, recipient: await identityToRecipient(key) }
      } catch {
        throw new SecretsError([`${origin}: line ${line} is no identity of age: expected AGE-SECRET-KEY-1...`])
      }
    }),
  )
}

/** @throws SecretsError when the file is there */
export async function makeIdentity(file: string, created: string): Promise<Identity> {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption')
  const key = await generateX25519Identity()
  const recipient = await identityToRecipient(key)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(file, `# created: ${created}\n# public key: ${recipient}\n${key}\n`, {
      mode: 0o600,
      flag: 'wx',
      flush: true,
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new SecretsError([`${file} is there already; values that are encrypted for it would be lost with it`])
  }
  return { key, recipient }
}
