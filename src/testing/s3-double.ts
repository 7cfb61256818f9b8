// As much of an S3 server as Sampan asks of one, with objects in memory: no such server is in Debian. It checks
// signatures with the field's own library.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { AwsV4Signer } from 'aws4fetch'
import type { Credentials } from '../delivery/services/backing-service.ts'
import type { ServiceServer } from './service-servers.ts'

interface StoredObject {
  readonly content: Buffer
  readonly type: string | undefined
}

export type Buckets = Map<string, Map<string, StoredObject>>

interface Reply {
  readonly status: number
  readonly body?: Buffer | string
  readonly type?: string
}

const refusal = (status: number, code: string): Reply => ({ status, body: `<Error><Code>${code}</Code></Error>` })

export async function startS3Double(): Promise<ServiceServer & { readonly buckets: Buckets }> {
  const administrator = { user: 'access', password: 'secret+/key' }
  const buckets: Buckets = new Map()
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const content = await buffer(request)
    const { status, body, type } = (await isSigned(request, administrator))
      ? reply(buckets, request, content)
      : refusal(403, 'SignatureDoesNotMatch')
    response.writeHead(status, {
      'content-length': Buffer.byteLength(body ?? ''),
      ...(type && { 'content-type': type }),
    })
    response.end(body)
  }
  const listener = createServer((request, response) => {
    // Whoever breaks off gets no answer.
    answer(request, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    administrator,
    buckets,
    async close() {
      listener.closeAllConnections()
      listener.close()
    },
  }
}

async function isSigned({ method, url, headers }: IncomingMessage, { user, password }: Credentials): Promise<boolean> {
  const { authorization = '' } = headers
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? []
  const signed = await new AwsV4Signer({
    method,
    url: `http://${headers.host}${url}`,
    headers: Object.fromEntries(names.map(name => [name, String(headers[name])])),
    accessKeyId: user,
    secretAccessKey: password,
    service: 's3',
    region: 'us-east-1',
    datetime: String(headers['x-amz-date']),
  }).sign()
  return signed.headers.get('authorization') === authorization
}

function reply(buckets: Buckets, { method, url = '', headers }: IncomingMessage, content: Buffer): Reply {
  const { pathname, searchParams } = new URL(url, 'http://host')
  const [bucket = '', ...parts] = pathname.slice(1).split('/').map(decodeURIComponent)
  const key = parts.join('/')
  const objects = buckets.get(bucket)
  if (method === 'PUT' && key === '') {
    if (objects !== undefined) return refusal(409, 'BucketAlreadyOwnedByYou')
    buckets.set(bucket, new Map())
    return { status: 200 }
  }
  if (objects === undefined) return refusal(404, 'NoSuchBucket')
  if (key === '') {
    if (method === 'GET') return { status: 200, body: listing(objects, searchParams) }
    if (objects.size > 0) return refusal(409, 'BucketNotEmpty')
    buckets.delete(bucket)
    return { status: 204 }
  }
  if (method === 'PUT') objects.set(key, { content, type: headers['content-type'] })
  if (method === 'DELETE') objects.delete(key)
  if (method !== 'GET') return { status: method === 'DELETE' ? 204 : 200 }
  const found = objects.get(key)
  return found === undefined ? refusal(404, 'NoSuchKey') : { status: 200, body: found.content, type: found.type }
}

function listing(objects: ReadonlyMap<string, StoredObject>, query: URLSearchParams): string {
  const after = query.get('start-after') ?? ''
  const keys = [...objects.keys()]
    .sort()
    .filter(key => key > after)
    .slice(0, Number(query.get('max-keys')))
  return `<ListBucketResult>${keys.map(key => `<Contents><Key>${encodeURIComponent(key)}</Key></Contents>`).join('')}</ListBucketResult>`
}
