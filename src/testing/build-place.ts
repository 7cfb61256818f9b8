// A folder to build images of, and the images as tests look at them: without a registry, straight from a builder.
import {
  createReadStream,
  cpSync,
  readdirSync,
  utimesSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import type { Builder } from '../images/build/builder.ts'
import type { BaseImage } from '../images/build/base/base-image.ts'
import type { ImageContent } from '../images/build/image-content.ts'
import { defaultSettings, type BuildSettings } from '../images/build/settings.ts'

export interface BuiltFile {
  readonly type: string
  readonly mode: number
  readonly content: string
  readonly target: string | undefined
  /** User that it belongs to. */
  readonly owner: number
  /** Which layer it is in; the lowest is 0. */
  readonly layer: number
}

export interface Built extends ImageContent {
  /** By path in the image; of a file that is in several layers, the highest. */
  readonly files: ReadonlyMap<string, BuiltFile>
  readonly notes: readonly string[]
  /** `base layer`, or `base layer (cached)`. */
  readonly steps: readonly string[]
  /** Of all layers, in order. */
  readonly digests: readonly string[]
}

export class BuildPlace {
  readonly root = mkdtempSync(join(tmpdir(), 'sampan-build-'))
  readonly cacheDirectory = join(this.root, 'cache')
  readonly directory: string

  constructor() {
    mkdirSync(this.cacheDirectory)
    this.directory = this.folder('project')
  }

  /** A new folder. */
  folder(name: string): string {
    return mkdtempSync(join(this.root, `${name}-`))
  }

  put(path: string, content: string | Buffer, mode = 0o644, directory = this.directory): string {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    chmodSync(file, mode)
    return file
  }

  /** The same files elsewhere, from other times. */
  copyOf(directory: string): string {
    const copy = this.folder('copy')
    cpSync(directory, copy, { recursive: true })
    for (const name of readdirSync(copy, { recursive: true })) utimesSync(join(copy, String(name)), 1, 1)
    return copy
  }

  async build(
    builder: Builder,
    settings: Partial<BuildSettings> = {},
    {
      directory = this.directory,
      base,
      cacheDirectory = this.cacheDirectory,
      registry = '127.0.0.1:1',
      nodeBinary = '/bin/true',
      owner = 0,
      lookedAt = Promise.resolve(),
    }: {
      directory?: string
      base?: BaseImage
      cacheDirectory?: string
      registry?: string
      nodeBinary?: string
      owner?: number
      lookedAt?: Promise<void>
    } = {},
  ): Promise<Built> {
    const notes: string[] = []
    const steps: string[] = []
    const making = this.folder('making')
    const content = await builder.build({
      directory,
      settings: { ...defaultSettings, ...settings },
      base,
      registry,
      nodeBinary,
      cacheDirectory,
      making,
      owner,
      lookedAt,
      progress: (step, cached) => steps.push(cached ? `${step} (cached)` : step),
      note: text => notes.push(text),
    })
    const files = new Map<string, BuiltFile>()
    for (const [index, { file }] of content.layers.entries()) await readInto(files, file, index)
    const digests = content.layers.map(({ digest }) => digest)
    return { ...content, files, notes, steps, digests }
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

async function readInto(files: Map<string, BuiltFile>, file: string, layer: number): Promise<void> {
  const tar = extract()
  createReadStream(file).pipe(tar)
  for await (const entry of tar) {
    const { name, type, mode, linkname, uid } = entry.header
    const content = (await buffer(entry)).toString('latin1')
    files.set(name.replace(/\/$/, ''), {
      type: type ?? 'file',
      mode: (mode ?? 0) & 0o7777,
      content,
      target: linkname ?? undefined,
      owner: uid ?? 0,
      layer,
    })
  }
}

/** A base image of which no more is known than which files it has, or which paths fit. */
export const baseWith = (name: string, ...has: readonly (string | RegExp)[]): BaseImage => ({
  name,
  digest: 'sha256:1',
  layers: [],
  config: { Env: ['PATH=/special/bin:/usr/bin', 'LANG=C'] },
  has: path => has.some(one => (typeof one === 'string' ? one === path : one.test(path))),
})

/** A folder with a program of this name, for the beginning of PATH. */
export function fakeProgram(directory: string, name: string, script: string): void {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, name)
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}
