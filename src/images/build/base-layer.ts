// The base of every image: the Node.js that Sampan itself runs on and the shared libraries it needs,
// with users, name resolution and CA certificates. Made from this machine, so nothing is downloaded.
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { LayerEntry } from './layer.ts'
import { linkedLibraries } from './native-libraries.ts'

export const nodePath = 'usr/local/bin/node'
/** The user services run as. */
export const serviceUser = { name: 'node', id: 1000 } as const

const certificates = '/etc/ssl/certs/ca-certificates.crt'

/** Changes exactly when the base layer would. */
export function baseKey(nodeBinary: string): string {
  const { size, mtimeMs } = statSync(nodeBinary)
  const hash = createHash('sha256').update(`2 ${process.version} ${process.arch} ${size} ${mtimeMs}`)
  if (existsSync(certificates)) hash.update(String(statSync(certificates).mtimeMs))
  return hash.digest('hex').slice(0, 16)
}

export async function baseEntries(nodeBinary: string): Promise<LayerEntry[]> {
  const libraries = await sharedLibraries(nodeBinary)
  const text = (path: string, content: string): LayerEntry => ({ path, kind: 'file', source: Buffer.from(content) })
  return [
    { path: nodePath, kind: 'file', source: nodeBinary, mode: 0o755 },
    ...libraries,
    text(
      'etc/passwd',
      `root:x:0:0:root:/root:/sbin/nologin\n${serviceUser.name}:x:${serviceUser.id}:${serviceUser.id}::/home/node:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n`,
    ),
    text('etc/group', `root:x:0:\n${serviceUser.name}:x:${serviceUser.id}:\nnogroup:x:65534:\n`),
    text('etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n'),
    ...(existsSync(certificates)
      ? [{ path: certificates.slice(1), kind: 'file', source: realpathSync(certificates) } as const]
      : []),
    { path: 'tmp', kind: 'directory', mode: 0o1777 },
    { path: 'home/node', kind: 'directory', mode: 0o777 },
  ]
}

/** What the dynamic linker would load, each under the path it is looked for at. */
export async function sharedLibraries(program: string): Promise<LayerEntry[]> {
  return (await baseLibraries(program)).map(path => ({
    path: placeOf(path),
    kind: 'file',
    source: realpathSync(path),
    mode: 0o755,
  }))
}

/** Paths on this machine of the libraries that every image has. */
export const baseLibraries = async (nodeBinary: string): Promise<string[]> =>
  [...(await linkedLibraries(nodeBinary)).values()].filter(path => path !== undefined)

/** /lib may be a link to /usr/lib here; inside the image both are plain directories. */
function placeOf(path: string): string {
  return `${dirname(path).slice(1)}/${basename(path)}`
}
