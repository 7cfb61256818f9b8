// Bundles of a release: configuration under a name that its content decides, so that a changed value is another bundle
// and the one before is still there to go back to.
import { createHash } from 'node:crypto'
import type { Bundle } from '../engine/parts.ts'

/** Bytes; engines take no more. */
export const largestBundle = 1_048_576

/** @param role such as `files`; @param entries bytes by key */
export function bundleOf(
  service: string,
  role: string,
  secret: boolean,
  entries: Readonly<Record<string, Uint8Array | string>>,
): Bundle {
  const encoded = Object.fromEntries(
    Object.entries(entries)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, bytes]) => [key, Buffer.from(bytes).toString('base64')]),
  )
  const digest = createHash('sha256')
    .update(JSON.stringify([secret, encoded]))
    .digest('hex')
  return { name: `${service}-${role}-${digest.slice(0, 10)}`, service, secret, entries: encoded }
}

/** The administrator of a server that is made beside a service lives as long as its data, so its bundle is no release's. */
export const administratorBundle = (service: string, type: string): string => `${service}-${type}-admin`
export const outlivesReleases = (name: string): boolean => name.endsWith('-admin')

export const entryOf = ({ entries }: Bundle, key: string): string | undefined =>
  entries[key] === undefined ? undefined : Buffer.from(entries[key], 'base64').toString()

const longestKey = 253

/**
 * Keys of bundles have no slashes: `/etc/hcn/rules.json` is `etc.hcn.rules.json-` and eight digits, which tell it from
 * `/etc/hcn.rules.json`. What is a sidecar's has its name in front.
 */
export function fileKey(path: string, sidecar?: string): string {
  const digits = createHash('sha256').update(path).digest('hex').slice(0, 8)
  const before = sidecar === undefined ? '' : `${sidecar}..`
  const readable = path.replace(/^\//, '').replaceAll(/[^-._a-zA-Z0-9]/g, '.')
  const room = longestKey - before.length - digits.length - 1
  // Of a long one the end tells most.
  const short = readable.length <= room ? readable : readable.slice(-room).replace(/^\.+/, '')
  return `${before}${short}-${digits}`
}
