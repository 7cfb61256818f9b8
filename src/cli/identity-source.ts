// Who the user of this command is to age. Asked for when the command starts, so that the key is out of the environment
// before another process is started that would inherit it.
import { homedir } from 'node:os'
import { takeIdentitySource, type IdentitySource } from '../delivery/secrets/identities.ts'

let source: IdentitySource | undefined

export function identitySource(): IdentitySource {
  source ??= takeIdentitySource(process.env, homedir())
  return source
}
