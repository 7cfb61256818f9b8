// On which of the machine's addresses node ports and host ports answer: as asked for, or as at the last start,
// or everywhere. Remembered, because a careful choice must not be lost by a start that does not repeat it.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAddress } from '../lib/ipv4.ts'
import { SetupError, type ClusterPlaces } from './data-directory.ts'

export const everywhere = '0.0.0.0/0'

/** @param asked ranges with commas between them. @throws SetupError */
export function nodePortRanges({ data }: Pick<ClusterPlaces, 'data'>, asked: string | undefined): string[] {
  const file = join(data, 'node-port-addresses')
  if (asked === undefined) return existsSync(file) ? readFileSync(file, 'utf8').trim().split(',') : [everywhere]
  const ranges = asked.split(',').map(text => text.trim())
  const wrong = ranges.find(range => !isRange(range))
  if (wrong !== undefined)
    throw new SetupError(
      `expected --node-port-addresses with IPv4 ranges such as 127.0.0.0/8,192.168.1.0/24, or ${everywhere} for every address of this machine, found "${wrong}"`,
    )
  if (ranges.includes(everywhere)) {
    rmSync(file, { force: true })
    return [everywhere]
  }
  mkdirSync(data, { recursive: true, mode: 0o700 })
  writeFileSync(file, ranges.join(','), { mode: 0o600 })
  return ranges
}

function isRange(text: string): boolean {
  const [address = '', length = '', ...more] = text.split('/')
  return parseAddress(address) !== undefined && /^\d{1,2}$/.test(length) && Number(length) <= 32 && more.length === 0
}
