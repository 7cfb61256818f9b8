// The files of an archive, one after the other, packed with gzip or zstd or not at all.
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import { ArchiveError } from './archive-error.ts'

export interface ArchiveEntry {
  /** Without `./` in front. */
  readonly name: string
  readonly size: number
  /** The file that it is another name of. */
  readonly link: string | undefined
  readonly isFile: boolean
  /** To be read to its end, or thrown away, before the next one comes. */
  readonly content: AsyncIterable<Buffer>
}

/** @throws ArchiveError */
export async function* archiveEntries(file: string): AsyncGenerator<ArchiveEntry> {
  const decompress = await decompressorFor(file)
  const source = createReadStream(file, { highWaterMark: 1024 * 1024 })
  const tar = extract()
  pipeline(decompress === undefined ? [source, tar] : [source, decompress, tar], () => {})
  try {
    for await (const entry of tar) {
      const header = entry.header
      yield {
        name: plain(header.name),
        size: header.size ?? 0,
        link: linkOf(header),
        isFile: header.type === 'file' || header.type === 'contiguous-file',
        content: partsOf(entry, file),
      }
      entry.resume()
    }
  } catch (error) {
    throw damaged(file, error)
  } finally {
    source.destroy()
  }
}

async function* partsOf(entry: AsyncIterable<unknown>, file: string): AsyncGenerator<Buffer> {
  try {
    for await (const part of entry) yield part as Buffer
  } catch (error) {
    throw damaged(file, error)
  }
}

const damaged = (file: string, error: unknown): ArchiveError =>
  error instanceof ArchiveError
    ? error
    : new ArchiveError(`${file} is no archive of images, or damaged: ${(error as Error).message}`)

const plain = (name: string): string => name.replace(/^(?:\.\/)+/, '').replace(/\/$/, '')

function linkOf({ name, type, linkname }: Header): string | undefined {
  if ((type !== 'symlink' && type !== 'link') || linkname === undefined || linkname === null) return undefined
  if (type === 'link') return plain(linkname)
  // docker wrote a layer once and linked it from where it was needed again.
  return plain(new URL(linkname, `file:///${plain(name)}`).pathname.slice(1))
}

async function decompressorFor(file: string): Promise<NodeJS.ReadWriteStream | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new ArchiveError(
      `${file} cannot be read: ${error.code === 'ENOENT' ? 'there is no such file' : error.message}`,
    )
  })
  try {
    if ((await handle.stat()).isDirectory())
      throw new ArchiveError(
        `${file} is a folder; expected an archive of images, such as "docker save" writes: of an OCI layout make one with tar -cf image.tar -C ${file} . and import that`,
      )
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    if (buffer.readUInt16BE(0) === 0x1f_8b) return createGunzip()
    return buffer.readUInt32BE(0) === 0x28_b5_2f_fd ? createZstdDecompress() : undefined
  } finally {
    await handle.close()
  }
}
