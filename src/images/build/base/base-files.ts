// Which files an image has: the entries of its layers, one over the other, with what a layer takes away again.
// Source: OCI image specification, "Whiteouts".
import { createReadStream } from 'node:fs'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import { BuildError } from '../build-error.ts'

/** Path without the leading slash -> where a link leads, else empty. */
export type LayerNames = readonly (readonly [path: string, link: string])[]

/** @throws BuildError when the compression is not known */
export async function namesInLayer(file: string, mediaType: string): Promise<LayerNames> {
  const names: [string, string][] = []
  const unpack = extract()
  const reading = (async () => {
    for await (const entry of unpack) {
      const { name, type, linkname } = entry.header
      names.push([name.replace(/^(?:\.?\/)+|\/+$/g, ''), type === 'symlink' ? (linkname ?? '') : ''])
      entry.resume()
    }
  })()
  const unpacking = decompression(mediaType)
  await Promise.all([
    unpacking === undefined
      ? pipeline(createReadStream(file), unpack)
      : pipeline(createReadStream(file), unpacking, unpack),
    reading,
  ])
  return names
}

/** undefined: it is none. */
function decompression(mediaType: string): Transform | undefined {
  if (/(?:\+|\.)gzip$/.test(mediaType)) return createGunzip()
  if (mediaType.endsWith('+zstd')) return createZstdDecompress()
  if (mediaType.endsWith('.tar')) return undefined
  throw new BuildError(`expected layers as tar, gzip or zstd, found one of the type ${mediaType}`)
}

const whiteout = '.wh.'
const opaque = '.wh..wh..opq'
const maximumLinks = 40

export class BaseFiles {
  private readonly links = new Map<string, string>()

  /** @param layers the lowest first */
  constructor(layers: readonly LayerNames[]) {
    for (const layer of layers) {
      for (const [path] of layer) {
        const slash = path.lastIndexOf('/') + 1
        const [folder, name] = [path.slice(0, slash), path.slice(slash)]
        if (name === opaque) this.remove(folder)
        else if (name.startsWith(whiteout)) this.remove(folder + name.slice(whiteout.length))
      }
      for (const [path, link] of layer)
        if (!path.slice(path.lastIndexOf('/') + 1).startsWith(whiteout)) this.links.set(path, link)
    }
  }

  /** @param path absolute; links are followed */
  has(path: string): boolean {
    return (
      this.resolve(
        path.split('/').filter(part => part !== ''),
        0,
      ) !== undefined
    )
  }

  private resolve(parts: readonly string[], followed: number): string | undefined {
    let at = ''
    for (const [index, part] of parts.entries()) {
      if (part === '.') continue
      if (part === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')))
        continue
      }
      const next = at === '' ? part : `${at}/${part}`
      const link = this.links.get(next)
      if (link !== undefined && link !== '') {
        if (followed === maximumLinks) return undefined
        const target = link.startsWith('/') ? link : `${at}/${link}`
        return this.resolve([...target.split('/').filter(step => step !== ''), ...parts.slice(index + 1)], followed + 1)
      }
      at = next
    }
    return at === '' || this.links.has(at) ? at : undefined
  }

  private remove(path: string): void {
    const below = path.endsWith('/') ? path : `${path}/`
    if (!path.endsWith('/')) this.links.delete(path)
    for (const known of this.links.keys()) if (known.startsWith(below)) this.links.delete(known)
  }
}
