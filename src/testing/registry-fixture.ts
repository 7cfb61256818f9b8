// A registry in a folder of its own on a free port of loopback, with the requests that tests make of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf } from '../images/registry/digest.ts'
import { startRegistry, type Registry, type RegistryOptions } from '../images/registry/registry.ts'

export const imageType = 'application/vnd.oci.image.manifest.v1+json'
export const indexType = 'application/vnd.oci.image.index.v1+json'

export interface PushedImage {
  readonly digest: string
  readonly manifest: string
  readonly config: string
  readonly layers: readonly string[]
}

/** What the requests of tests need to know. */
export class RegistryCalls {
  readonly base: string
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>

  constructor(base: string, headers: Readonly<Record<string, string>> = {}) {
    this.base = base
    this.headers = headers
  }

  /** @param path below `/v2/`, or the whole of it as in a `Location` */
  call(
    method: string,
    path: string,
    body?: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    return fetch(`${this.base}${path.startsWith('/v2') ? path : `/v2/${path}`}`, {
      method,
      headers: { ...this.headers, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    })
  }

  async status(method: string, path: string, body?: string | Buffer): Promise<number> {
    const response = await this.call(method, path, body)
    await response.arrayBuffer()
    return response.status
  }

  async bytes(path: string): Promise<Buffer> {
    const response = await succeeded(this.call('GET', path))
    return Buffer.from(await response.arrayBuffer())
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse(String(await this.bytes(path))) as T
  }

  /** @returns where its content goes */
  async startUpload(repository: string): Promise<string> {
    const response = await succeeded(this.call('POST', `${repository}/blobs/uploads/`), 202)
    return response.headers.get('location')!
  }

  async pushBlob(repository: string, content: string | Buffer, digest = digestOf(content)): Promise<string> {
    await succeeded(this.call('POST', `${repository}/blobs/uploads/?digest=${digest}`, content), 201)
    return digest
  }

  /** @returns its digest */
  async pushManifest(repository: string, reference: string, content: object | string): Promise<string> {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    const { mediaType = imageType } = JSON.parse(text) as { mediaType?: string }
    const path = `${repository}/manifests/${reference}`
    const response = await succeeded(this.call('PUT', path, text, { 'Content-Type': mediaType }), 201)
    return response.headers.get('docker-content-digest')!
  }

  /** @param fields of the manifest, beside those that each has */
  async pushImage(
    repository: string,
    tag: string | undefined,
    layers: string | readonly (string | Buffer)[],
    fields: object = {},
  ): Promise<PushedImage> {
    const contents = typeof layers === 'string' ? [layers] : layers
    const described = JSON.stringify({ layers: contents.map(content => digestOf(content)) })
    const config = await this.pushBlob(repository, described)
    const digests: string[] = []
    for (const content of contents) digests.push(await this.pushBlob(repository, content))
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: described.length },
      layers: contents.map((content, index) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: digests[index],
        size: content.length,
      })),
      ...fields,
    })
    const digest = await this.pushManifest(repository, tag ?? digestOf(manifest), manifest)
    return { digest, manifest, config, layers: digests }
  }
}

/** The code of an error that an answer tells. */
export const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { errors: { code: string }[] }).errors[0]!.code

/** The answer, unless it is another one than expected: then its own words are the error. */
export async function succeeded(answer: Promise<Response>, status = 200): Promise<Response> {
  const response = await answer
  if (response.status === status) return response
  throw new Error(`${response.url}: expected ${status}, found ${response.status} ${await response.text()}`)
}

export class RegistryFixture extends RegistryCalls {
  readonly directory: string
  registry: Registry
  private readonly options: Partial<RegistryOptions>

  private constructor(directory: string, registry: Registry, options: Partial<RegistryOptions>) {
    super(`http://127.0.0.1:${registry.port}`)
    this.directory = directory
    this.registry = registry
    this.options = options
  }

  static async start(options: Partial<RegistryOptions> = {}): Promise<RegistryFixture> {
    const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'sampan-registry-'))
    const registry = await startRegistry({ directory, host: '127.0.0.1', port: 0, ...options })
    return new RegistryFixture(directory, registry, options)
  }

  get port(): number {
    return this.registry.port
  }

  /** Ends it in order and starts it again, with the same content and on the same port. */
  async restart(): Promise<void> {
    const { port } = this.registry
    await this.registry.close()
    this.registry = await startRegistry({ directory: this.directory, host: '127.0.0.1', ...this.options, port })
  }

  async close(): Promise<void> {
    await this.registry.close()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
