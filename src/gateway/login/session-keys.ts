// The key by which the gateway signs sessions of those who logged in, and the one by which it keeps what a login needs until
// its end. Both last as long as their file: who takes it away logs everybody out.
import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SigningKey } from '../model/policing.ts'

export interface SessionKeys {
  readonly signing: KeyObject
  /** 32 bytes. */
  readonly sealing: Uint8Array
  readonly verifying: SigningKey
}

export const sessionAlgorithm = 'ES256'

/** Made when there is none, or none that can be read. @param file in PEM */
export function sessionKeys(file: string): SessionKeys {
  const signing = read(file) ?? make(file)
  const pem = createPublicKey(signing).export({ type: 'spki', format: 'pem' }).toString()
  const secret = signing.export({ type: 'pkcs8', format: 'der' })
  return {
    signing,
    sealing: new Uint8Array(hkdfSync('sha256', secret, '', 'sampan login', 32)),
    verifying: { algorithm: sessionAlgorithm, pem },
  }
}

function read(file: string): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(file))
  } catch {
    return undefined
  }
}

function make(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(`${file}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return privateKey
}
