// The address of this machine at which servers of other machines reach this one: as asked for, or as at the
// last start. Without it the server listens only on addresses that its own machine knows.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { join } from 'node:path'
import { SetupError, type ClusterPlaces } from './data-directory.ts'

/** @param asked `none` takes back what was asked for before. @throws SetupError */
export function advertisedAddress(
  { data }: Pick<ClusterPlaces, 'data'>,
  asked: string | undefined,
): string | undefined {
  const file = join(data, 'advertise-address')
  if (asked === undefined) return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
  if (asked === 'none') {
    rmSync(file, { force: true })
    return undefined
  }
  if (!isIPv4(asked) || /^(?:0|127|169\.254|22[4-9]|2[3-5]\d)\./.test(asked))
    throw new SetupError(
      `expected --advertise-address with an IPv4 address of this machine that other machines reach, or none, found "${asked}"`,
    )
  mkdirSync(data, { recursive: true, mode: 0o700 })
  writeFileSync(file, asked, { mode: 0o600 })
  return asked
}
