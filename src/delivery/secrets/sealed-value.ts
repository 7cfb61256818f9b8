// One value as it stands in the repository: an armored age file. Its place is encrypted with it, so that a value that
// was moved to another key, service or environment is not taken for the one that belongs there.
import { samePlace, type SecretPlace } from './secret-place.ts'
import { SecretsError } from './secrets-error.ts'

export interface SecretValue {
  readonly value: string
  /** Made by Sampan, which can make the next one. */
  readonly generated: boolean
}

export type Unsealed =
  | { readonly state: 'open'; readonly secret: SecretValue }
  /** Encrypted for others. */
  | { readonly state: 'foreign' }
  | { readonly state: 'moved'; readonly from: SecretPlace }
  | { readonly state: 'broken' }

export const armorBegin = '-----BEGIN AGE ENCRYPTED FILE-----'

/** What is encrypted is a multiple of this long: how long a value is, is a part of it. */
const paddedBytes = 64

interface Content extends SecretPlace, SecretValue {}

/** @param recipients of age, by the name of who holds the identity */
export async function sealValue(
  { environment, service, name }: SecretPlace,
  { value, generated }: SecretValue,
  recipients: Readonly<Record<string, string>>,
): Promise<string> {
  const { Encrypter, armor } = await import('age-encryption')
  const encrypter = new Encrypter()
  for (const [reader, recipient] of Object.entries(recipients))
    try {
      encrypter.addRecipient(recipient)
    } catch {
      throw new SecretsError([
        `the key of ${reader} is no recipient of age: expected age1 and what follows, found ${JSON.stringify(recipient)}; "sampan secret keygen" makes one`,
      ])
    }
  const text = JSON.stringify({ environment, service, name, value, generated } satisfies Content)
  const lengthBytes = Buffer.byteLength(text)
  return armor.encode(
    await encrypter.encrypt(text + ' '.repeat((paddedBytes - (lengthBytes % paddedBytes)) % paddedBytes)),
  )
}

/** @param identities `AGE-SECRET-KEY-1...` */
export async function unsealValue(
  sealed: string,
  place: SecretPlace,
  identities: readonly string[],
): Promise<Unsealed> {
  const { Decrypter, armor } = await import('age-encryption')
  const decrypter = new Decrypter()
  for (const identity of identities) decrypter.addIdentity(identity)
  let isForeign = false
  // Asked last, when none of the others fits.
  decrypter.addIdentity({
    unwrapFileKey: () => {
      isForeign = true
      return null
    },
  })
  try {
    const content = JSON.parse(await decrypter.decrypt(armor.decode(sealed), 'text')) as Content
    if (typeof content.value !== 'string' || typeof content.name !== 'string') return { state: 'broken' }
    const { environment, service, name, value, generated } = content
    if (!samePlace({ environment, service, name }, place))
      return { state: 'moved', from: { environment, service, name } }
    return { state: 'open', secret: { value, generated } }
  } catch {
    return { state: isForeign ? 'foreign' : 'broken' }
  }
}
