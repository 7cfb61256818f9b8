// Serves the files of a folder over HTTP, in an image of its own: a program of Node.js without any library, put into
// the image as it is. What is served is looked up in the list of files that are there, so that no path leads out of
// the folder. Tags of files come from their content, which makes all instances agree; their times say nothing.
//
// static-server FOLDER [--single-page]   with PORT (8080) from the environment
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, type Stats } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { basename, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

interface SiteOptions {
  readonly directory: string
  /** Paths without a file are those of a program in the page. */
  readonly isSinglePage: boolean
  /** Extension without the dot -> type. */
  readonly types: Readonly<Record<string, string>>
}

interface SiteFile {
  readonly path: string
  readonly size: number
  readonly tag: string
  readonly type: string
  /** Made when somebody asks for it, and kept. */
  readonly compressed: Map<string, Promise<Buffer>>
  /** What it was when it was looked at. */
  readonly seen: string
}

type Encoding = 'br' | 'gzip' | 'identity'

/** Smaller is not worth it, larger is not kept in memory. */
const compressedBytes = { least: 1_000, most: 5_000_000 }
const compressible = /^text\/|[/+](?:json|javascript|xml|wasm|manifest)|^image\/(?:svg|bmp|x-icon)|^font\/(?:ttf|otf)/
const brotli = promisify(brotliCompress)
const zip = promisify(gzip)

export class Site {
  private readonly options: SiteOptions
  private readonly files = new Map<string, SiteFile>()

  constructor(options: SiteOptions) {
    this.options = options
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end()
      return
    }
    const [text = '/', query = ''] = (request.url ?? '/').split(/(?=\?)/, 2)
    const path = decoded(text)
    if (path === undefined) return plain(response, 400, 'this path cannot be read')
    const found = await this.find(path)
    if (found === 'folder') {
      // Relative links of a page are meant from within its folder. One slash, or it would name another server.
      response.writeHead(308, { location: `${text.replace(/^\/+/, '/')}/${query}`, 'content-length': 0 }).end()
      return
    }
    if (found !== undefined) return this.send(request, response, found, 200)
    const instead = await this.instead(path)
    if (instead === undefined) return plain(response, 404, 'there is no such page')
    return this.send(request, response, instead.file, instead.status)
  }

  private async find(path: string): Promise<SiteFile | 'folder' | undefined> {
    const parts = path.split('/').filter(part => part !== '')
    if (parts.some(isHidden)) return undefined
    const wanted = parts.join('/')
    const found = await this.read(wanted)
    if (found !== 'folder') return path.endsWith('/') && found !== undefined ? undefined : (found ?? this.page(wanted))
    const index = await this.read(join(wanted, 'index.html'))
    if (index === undefined || index === 'folder') return undefined
    return path.endsWith('/') ? index : 'folder'
  }

  /** `/about` is the page about.html, as generators of pages write links. */
  private async page(path: string): Promise<SiteFile | undefined> {
    if (path === '' || extname(path) !== '') return undefined
    const found = await this.read(`${path}.html`)
    return found === 'folder' ? undefined : found
  }

  private async instead(path: string): Promise<{ file: SiteFile; status: number } | undefined> {
    // A picture that is missing is missing.
    if (this.options.isSinglePage && (extname(path) === '' || extname(path) === '.html')) {
      const file = await this.read('index.html')
      if (file !== undefined && file !== 'folder') return { file, status: 200 }
    }
    const file = await this.read('404.html')
    return file === undefined || file === 'folder' ? undefined : { file, status: 404 }
  }

  private async read(path: string): Promise<SiteFile | 'folder' | undefined> {
    const file = join(this.options.directory, path)
    const facts = await stat(file).catch(() => undefined)
    if (facts === undefined) return undefined
    if (facts.isDirectory()) return 'folder'
    if (!facts.isFile()) return undefined
    const seen = `${facts.ino} ${facts.size} ${facts.mtimeMs} ${facts.ctimeMs}`
    const known = this.files.get(path)
    if (known?.seen === seen) return known
    const made = await this.look(path, facts, seen)
    this.files.set(path, made)
    return made
  }

  private async look(path: string, { size }: Stats, seen: string): Promise<SiteFile> {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(join(this.options.directory, path))) hash.update(chunk as Buffer)
    const type = this.options.types[extname(path).slice(1).toLowerCase()] ?? 'application/octet-stream'
    return {
      path,
      size,
      tag: hash.digest('base64url').slice(0, 22),
      type: /^text\/|[/+](?:json|javascript|xml)$/.test(type) ? `${type}; charset=utf-8` : type,
      compressed: new Map(),
      seen,
    }
  }

  private async send(
    request: IncomingMessage,
    response: ServerResponse,
    file: SiteFile,
    status: number,
  ): Promise<void> {
    const varies =
      compressible.test(file.type) && file.size >= compressedBytes.least && file.size <= compressedBytes.most
    const range = status === 200 ? request.headers.range : undefined
    const encoding = varies && range === undefined ? preferred(request.headers['accept-encoding']) : 'identity'
    const tag = `"${file.tag}${encoding === 'identity' ? '' : `-${encoding}`}"`
    response.setHeader('etag', tag)
    response.setHeader(
      'cache-control',
      isNamedByContent(file.path) ? 'public, max-age=31536000, immutable' : 'no-cache',
    )
    response.setHeader('x-content-type-options', 'nosniff')
    if (varies) response.setHeader('vary', 'accept-encoding')
    if (status === 200 && isKnown(request.headers['if-none-match'], file.tag)) {
      response.writeHead(304).end()
      return
    }
    response.setHeader('content-type', file.type)
    if (status === 200) response.setHeader('accept-ranges', 'bytes')
    const isWhole = request.headers['if-range'] !== undefined && request.headers['if-range'] !== tag
    const part = range === undefined || isWhole ? undefined : partOf(range, file.size)
    if (part === 'none') {
      response.writeHead(416, { 'content-range': `bytes */${file.size}`, 'content-length': 0 }).end()
      return
    }
    const content = encoding === 'identity' ? undefined : await this.compressed(file, encoding)
    if (content !== undefined) {
      response.writeHead(status, { 'content-encoding': encoding, 'content-length': content.length })
      response.end(request.method === 'HEAD' ? undefined : content)
      return
    }
    const { first, last } = part ?? { first: 0, last: file.size - 1 }
    response.writeHead(part === undefined ? status : 206, {
      'content-length': last - first + 1,
      ...(part !== undefined && { 'content-range': `bytes ${first}-${last}/${file.size}` }),
    })
    if (request.method === 'HEAD' || file.size === 0) response.end()
    // Who goes away before the end is nobody's mistake.
    else
      await pipeline(
        createReadStream(join(this.options.directory, file.path), { start: first, end: last }),
        response,
      ).catch(() => response.destroy())
  }

  private compressed({ path, compressed }: SiteFile, encoding: 'br' | 'gzip'): Promise<Buffer> {
    const known = compressed.get(encoding)
    if (known !== undefined) return known
    const making = readFile(join(this.options.directory, path)).then(content =>
      encoding === 'br'
        ? brotli(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })
        : zip(content, { level: 6 }),
    )
    compressed.set(encoding, making)
    making.catch(() => compressed.delete(encoding))
    return making
  }

  /** So that the first visitor waits for nothing. */
  async prepare(folder = ''): Promise<void> {
    const entries = await readdir(join(this.options.directory, folder), { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      if (isHidden(entry.name)) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) await this.prepare(path)
      else await this.read(path)
    }
  }
}

/** `.well-known` is where certificates and applications look for something. */
const isHidden = (part: string): boolean => part.startsWith('.') && part !== '.well-known'

/** As bundlers write it: `index-4f2a9c1b.js`, `main.4f2a9c1bdd.css`. */
const isNamedByContent = (path: string): boolean =>
  /[.-](?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{8,}\.(?:js|mjs|css|woff2?|png|jpe?g|svg|webp|avif|wasm)$/.test(
    basename(path),
  )

function decoded(text: string): string | undefined {
  try {
    const path = decodeURIComponent(text)
    return path.includes('\0') || path.includes('\\') ? undefined : path
  } catch {
    return undefined
  }
}

/** Of those that the client takes; `q=0` takes one away. */
function preferred(accepted: string | string[] | undefined): Encoding {
  const weights = new Map(
    String(accepted ?? '')
      .split(',')
      .map(text => {
        const [name = '', ...parameters] = text.split(';').map(part => part.trim().toLowerCase())
        const weight = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
        return [name, weight === undefined ? 1 : Number(weight)] as const
      }),
  )
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0
  const best = (['br', 'gzip'] as const).toSorted((left, right) => weightOf(right) - weightOf(left))[0]!
  return weightOf(best) > 0 ? best : 'identity'
}

/** Whatever it was encoded as. */
const isKnown = (known: string | undefined, tag: string): boolean =>
  known !== undefined &&
  (known.trim() === '*' ||
    known.split(',').some(text => {
      const plainTag = text.trim().replace(/^W\//, '')
      return plainTag === `"${tag}"` || plainTag.startsWith(`"${tag}-`)
    }))

/** One range; several at once, and what cannot be read, are answered with the whole, as HTTP allows. */
function partOf(range: string, size: number): { first: number; last: number } | 'none' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range.trim())
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const [, from = '', to = ''] = match
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  return first >= size || (from === '' && Number(to) === 0) ? 'none' : { first, last }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': text.length + 1 })
  response.end(`${text}\n`)
}

function main([directory = '.', ...flags]: readonly string[]): void {
  const types = JSON.parse(
    readFileSync(join(import.meta.dirname, 'content-types.json'), 'utf8'),
  ) as SiteOptions['types']
  const site = new Site({ directory, isSinglePage: flags.includes('--single-page'), types })
  const server = createServer((request, response) => {
    site.answer(request, response).catch((error: unknown) => {
      console.error(error)
      if (response.headersSent) response.destroy()
      else plain(response, 500, 'the server has made a mistake')
    })
  })
  const port = Number(process.env['PORT'] ?? 8080)
  server.listen(port, () => console.log(`serving ${directory} on port ${port}`))
  void site.prepare()
  const stop = (): void => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    // Connections that are kept open end after the answer under way.
    setInterval(() => server.closeIdleConnections(), 100).unref()
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2))
