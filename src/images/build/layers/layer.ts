// A layer: files in a tar that is the same to the byte whenever the files are (sorted, no times, one owner).
// Layers stay uncompressed: they travel over loopback only, and unpacking is faster.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { finished, pipeline } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import { pack, type Header, type Pack } from 'tar-stream'
import { everything, type FileFilter } from './docker-ignore.ts'

export const layerMediaType = 'application/vnd.oci.image.layer.v1.tar'

/** One entry; the path is absolute inside the image, without the leading slash. */
export type LayerEntry =
  | { readonly path: string; readonly kind: 'directory'; readonly mode?: number }
  | { readonly path: string; readonly kind: 'file'; readonly source: string | Buffer; readonly mode?: number }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }

/** As it is stored and sent. */
export interface LayerFile {
  readonly digest: string
  readonly size: number
}

export interface Layer extends LayerFile {
  readonly mediaType: string
  /** Digest of the uncompressed tar. */
  readonly diffId: string
  readonly file: string
}

/** One that was written by `writeLayer`. */
export const plainLayer = (file: string, { digest, size }: LayerFile): Layer => ({
  digest,
  size,
  mediaType: layerMediaType,
  diffId: digest,
  file,
})

/** Every file below a directory of this machine, placed at `target` in the image. The filter gets paths relative to the directory. */
export async function entriesBelow(
  directory: string,
  target: string,
  { includes, mayHold }: FileFilter = everything,
): Promise<LayerEntry[]> {
  const entries: LayerEntry[] = []
  async function visit(relative: string): Promise<void> {
    const names = (await readdir(join(directory, relative))).sort()
    for (const name of names) {
      const path = relative === '' ? name : `${relative}/${name}`
      const isIncluded = includes(path)
      if (!isIncluded && !mayHold(path)) continue
      const source = join(directory, path)
      const stat = await lstat(source)
      const inside = `${target}/${path}`
      if (stat.isDirectory()) {
        // A folder that is left out comes along with what is taken back out of it.
        if (isIncluded) entries.push({ path: inside, kind: 'directory' })
        await visit(path)
      } else if (!isIncluded) continue
      else if (stat.isSymbolicLink()) entries.push({ path: inside, kind: 'link', target: await readlink(source) })
      else if (stat.isFile())
        entries.push({ path: inside, kind: 'file', source, mode: stat.mode & 0o111 ? 0o755 : 0o644 })
    }
  }
  await visit('')
  return entries
}

/**
 * Writes the tar to a file. Parent directories are added where they are missing.
 * @param owner user and group of all that is in it
 */
export async function writeLayer(file: string, entries: readonly LayerEntry[], owner = 0): Promise<LayerFile> {
  const tar = pack()
  const hash = createHash('sha256')
  let size = 0
  const measure = new PassThrough()
  measure.on('data', (chunk: Buffer) => {
    size += chunk.length
    hash.update(chunk)
  })
  async function fill(): Promise<void> {
    for (const entry of withParents(entries)) await add(tar, entry, owner)
    tar.finalize()
  }
  await Promise.all([pipeline(tar, measure, createWriteStream(file)), fill()])
  return { digest: `sha256:${hash.digest('hex')}`, size }
}

function withParents(entries: readonly LayerEntry[]): LayerEntry[] {
  const all = new Map<string, LayerEntry>()
  for (const entry of entries) {
    const parts = entry.path.split('/')
    for (let length = 1; length < parts.length; length++) {
      const parent = parts.slice(0, length).join('/')
      if (!all.has(parent)) all.set(parent, { path: parent, kind: 'directory' })
    }
    all.set(entry.path, entry)
  }
  return [...all.values()].sort((left, right) => (left.path < right.path ? -1 : left.path > right.path ? 1 : 0))
}

type EntryHeader = Partial<Header> & Pick<Header, 'name'>

const epoch = new Date(0)

async function add(tar: Pack, entry: LayerEntry, owner: number): Promise<void> {
  const common = { mtime: epoch, uid: owner, gid: owner, uname: '', gname: '' }
  if (entry.kind === 'directory')
    return entryWithoutContent(tar, { ...common, name: `${entry.path}/`, type: 'directory', mode: entry.mode ?? 0o755 })
  if (entry.kind === 'link')
    return entryWithoutContent(tar, {
      ...common,
      name: entry.path,
      type: 'symlink',
      linkname: entry.target,
      mode: 0o777,
    })
  const { source } = entry
  const header: EntryHeader = { ...common, name: entry.path, type: 'file', mode: entry.mode ?? 0o644 }
  if (typeof source !== 'string')
    return new Promise((resolve, reject) => {
      tar.entry({ ...header, size: source.length }, source, error => (error ? reject(error) : resolve()))
    })
  const { size } = await lstat(source)
  if (size === 0) return add(tar, { ...entry, source: Buffer.alloc(0) }, owner)
  const sink = tar.entry({ ...header, size })
  // Nothing is read past the size that the header promises.
  const content = createReadStream(source, { end: size - 1 })
  content.once('error', error => sink.destroy(error))
  content.pipe(sink)
  await finished(sink)
}

function entryWithoutContent(tar: Pack, header: EntryHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry(header, error => (error ? reject(error) : resolve()))
  })
}
