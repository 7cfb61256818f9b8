// Pushes to a registry over plain HTTP: what is there already is not sent again.
import { createReadStream } from 'node:fs'
import { request } from 'node:http'
import { createHash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { BuildError } from '../build/build-error.ts'
import type { LayerFile } from '../build/layers/layer.ts'

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

export class RegistryClient {
  private readonly registry: string
  private readonly repository: string

  constructor(registry: string, repository: string) {
    this.registry = registry
    this.repository = repository
  }

  async pushFile(file: string, { digest, size }: LayerFile): Promise<void> {
    if (await this.has(digest)) return
    await this.upload(digest, size, () => createReadStream(file))
  }

  async pushBytes(bytes: Buffer): Promise<string> {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    if (!(await this.has(digest))) await this.upload(digest, bytes.length, () => Readable.from([bytes]))
    return digest
  }

  async pushManifest(tag: string, mediaType: string, bytes: Buffer): Promise<string> {
    const answer = await this.call(
      'PUT',
      `manifests/${tag}`,
      { 'Content-Type': mediaType, 'Content-Length': String(bytes.length) },
      () => Readable.from([bytes]),
    )
    expectStatus(answer, 201, `the registry at ${this.registry} did not accept ${this.repository}:${tag}`)
    return String(answer.headers['docker-content-digest'])
  }

  private async has(digest: string): Promise<boolean> {
    return (await this.call('HEAD', `blobs/${digest}`)).status === 200
  }

  private async upload(digest: string, size: number, content: () => Readable): Promise<void> {
    const answer = await this.call(
      'POST',
      `blobs/uploads/?digest=${digest}`,
      { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) },
      content,
    )
    expectStatus(answer, 201, `the registry at ${this.registry} did not accept a layer`)
  }

  private call(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    content?: () => Readable,
  ): Promise<Answer> {
    const [host = '', port = '80'] = this.registry.split(':')
    return new Promise((resolve, reject) => {
      const outgoing = request({ method, host, port, path: `/v2/${this.repository}/${path}`, headers }, response => {
        text(response).then(
          body => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        )
      })
      outgoing.once('error', error =>
        reject(
          new BuildError(
            `the registry at ${this.registry} cannot be reached (${error.message}); is the cluster up? Start it with: sampan up`,
          ),
        ),
      )
      if (content === undefined) outgoing.end()
      else pipeline(content(), outgoing).catch(reject)
    })
  }
}

function expectStatus({ status, body }: Answer, wanted: number, problem: string): void {
  if (status !== wanted) throw new BuildError(`${problem}: it answered ${status} ${body.slice(0, 300)}`)
}
