// What is asked of an S3 server: buckets and objects, addressed by path, which every server understands. Requests are
// signed by the field's library and sent by exchange().
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import type { Reached } from '../backing-service.ts'
import { exchange, HttpFailure, speaksTls } from '../http-exchange.ts'
import { addressOf, type Dialect } from '../server-access.ts'

export const dialect: Dialect = {
  title: 'S3',
  rights: 'needs s3:CreateBucket, s3:DeleteBucket, s3:ListBucket and all rights on objects',
  troubleOf(error) {
    if (!(error instanceof S3Failure)) return undefined
    if (/^(?:InvalidAccessKeyId|SignatureDoesNotMatch|AuthorizationHeaderMalformed)$/.test(error.code))
      return 'credentials'
    if (error.status === 403) return 'rights'
    return error.status >= 500 ? 'unreachable' : undefined
  },
}

export class S3Failure extends HttpFailure {
  /** As `NoSuchBucket`. */
  readonly code: string

  constructor(message: string, status: number, code: string) {
    super(message, status)
    this.name = 'S3Failure'
    this.code = code
  }
}

export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof S3Failure && codes.includes(error.code)

export const regionOf = (host: string): string => /\.?s3[.-]([a-z]{2}(?:-[a-z]+)+-\d)\./.exec(host)?.[1] ?? 'us-east-1'

export interface S3Object {
  readonly content: IncomingMessage
  readonly size: number
  readonly type: string | undefined
}

export class BucketClient {
  private readonly server: Reached

  constructor(server: Reached) {
    this.server = server
  }

  /** @returns keys in their order, a page of them; undefined: no such bucket */
  async list(bucket: string, limit = 1000, after?: string): Promise<readonly string[] | undefined> {
    const query = new URLSearchParams({ 'list-type': '2', 'encoding-type': 'url', 'max-keys': String(limit) })
    if (after !== undefined) query.set('start-after', after)
    try {
      const page = String(await buffer(await this.send('GET', `/${bucket}?${query}`)))
      return [...page.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) =>
        decodeURIComponent(key!.replaceAll('+', '%20')),
      )
    } catch (error) {
      if (hasCode(error, 'NoSuchBucket')) return undefined
      throw error
    }
  }

  async *keys(bucket: string): AsyncGenerator<string> {
    for (let after: string | undefined; ;) {
      const page: readonly string[] = (await this.list(bucket, 1000, after)) ?? []
      yield* page
      after = page.at(-1)
      if (after === undefined) return
    }
  }

  /** One of one's own is fine. */
  async makeBucket(bucket: string): Promise<void> {
    const region = regionOf(this.server.host)
    const body =
      region === 'us-east-1'
        ? ''
        : `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`
    try {
      await this.done('PUT', `/${bucket}`, {}, Buffer.from(body))
    } catch (error) {
      if (!hasCode(error, 'BucketAlreadyOwnedByYou')) throw error
    }
  }

  /** With all that is in it; none there is fine. */
  async removeBucket(bucket: string): Promise<void> {
    try {
      await this.empty(bucket)
      await this.done('DELETE', `/${bucket}`)
    } catch (error) {
      if (!hasCode(error, 'NoSuchBucket')) throw error
    }
  }

  async empty(bucket: string): Promise<void> {
    for await (const key of this.keys(bucket)) await this.remove(bucket, key)
  }

  /** @returns undefined: there is none */
  async read(bucket: string, key: string): Promise<S3Object | undefined> {
    try {
      const content = await this.send('GET', pathOf(bucket, key))
      return {
        content,
        size: Number(content.headers['content-length']),
        type: content.headers['content-type'],
      }
    } catch (error) {
      if (hasCode(error, 'NoSuchKey', 'NoSuchBucket')) return undefined
      throw error
    }
  }

  async write(bucket: string, key: string, content: Buffer | Readable, size: number, type?: string): Promise<void> {
    const headers = { 'content-length': String(size), ...(type !== undefined && { 'content-type': type }) }
    await this.done('PUT', pathOf(bucket, key), headers, content)
  }

  async remove(bucket: string, key: string): Promise<void> {
    await this.done('DELETE', pathOf(bucket, key))
  }

  private async done(...question: Parameters<BucketClient['send']>): Promise<void> {
    await buffer(await this.send(...question))
  }

  /** @throws S3Failure unless it went well */
  private async send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Buffer | Readable,
  ): Promise<IncomingMessage> {
    const { AwsV4Signer } = await import('aws4fetch')
    const { administrator } = this.server
    const signed = await new AwsV4Signer({
      method,
      url: `${speaksTls(this.server) ? 'https' : 'http'}://${addressOf(this.server)}${path}`,
      headers,
      accessKeyId: administrator.user,
      secretAccessKey: administrator.password,
      service: 's3',
      region: regionOf(this.server.host),
    }).sign()
    const { url } = signed
    const response = await exchange(this.server, {
      method,
      path: `${url.pathname}${url.search}`,
      headers: { ...Object.fromEntries(signed.headers), host: url.host },
      body,
    })
    const status = response.statusCode ?? 0
    if (status < 300) return response
    const text = String(await buffer(response))
    const read = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? ''
    const code = read('Code')
    throw new S3Failure(`${method} ${url.pathname}: ${status} ${code} ${read('Message')}`.trim(), status, code)
  }
}

const pathOf = (bucket: string, key: string): string => `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
