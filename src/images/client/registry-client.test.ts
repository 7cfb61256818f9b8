// A registry as it is met outside: one that wants to know who asks, sends elsewhere, and whose connections break.
// Behind it is our own.
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BuildError } from '../build/build-error.ts'
import { startRegistry, type Registry } from '../registry/registry.ts'
import { findDigest } from './find-digest.ts'
import { RegistryClient } from './registry-client.ts'
import type { RegistryClientOptions } from './registry-session.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-client-'))
let registry: Registry
beforeAll(async () => {
  registry = await startRegistry({ directory: join(directory, 'registry'), host: '127.0.0.1', port: 0 })
})
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})
afterAll(async () => {
  await registry.close()
  rmSync(directory, { recursive: true })
})

type Answering = (request: IncomingMessage, response: ServerResponse) => void

async function serving(handler: Answering): Promise<string> {
  const server = createServer(handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Passes everything on to our registry; `breaking` says after how many bytes a body breaks off. */
const passingOn =
  (breaking: { download?: number; upload?: number } = {}): Answering =>
  (incoming, response) => {
    const outgoing = request(
      {
        port: registry.port,
        host: '127.0.0.1',
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      answer => {
        const location = answer.headers.location
        response.writeHead(answer.statusCode!, { ...answer.headers, ...(location !== undefined && { location }) })
        let passed = 0
        answer.on('data', (part: Buffer) => {
          passed += part.length
          if (breaking.download !== undefined && passed > breaking.download) response.destroy()
          else response.write(part)
        })
        answer.on('end', () => response.end())
      },
    )
    outgoing.on('error', () => response.destroy())
    incoming.pipe(outgoing)
  }

const client = (url: string, options: RegistryClientOptions = {}, repository = 'team/web'): RegistryClient => {
  const made = new RegistryClient(url, repository, options)
  closing.push(() => made.close())
  return made
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const manifestType = 'application/vnd.oci.image.manifest.v1+json'

async function pushed(to: RegistryClient, layer: Buffer): Promise<{ digest: string; layer: string }> {
  const file = join(directory, 'layer')
  writeFileSync(file, layer)
  await to.pushFile(file, { digest: digestOf(layer), size: layer.length })
  const config = await to.pushBytes(Buffer.from('{}'))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: { digest: config, size: 2 },
      layers: [{ digest: digestOf(layer), size: layer.length }],
    }),
  )
  const { digest } = await to.pushManifest('1.0.0', manifestType, manifest)
  return { digest, layer: digestOf(layer) }
}

test('what was pushed is found, by tag and by digest, and pulled', async () => {
  const local = client(`127.0.0.1:${registry.port}`)
  const layer = randomBytes(100_000)
  const { digest } = await pushed(local, layer)
  expect(await local.digestOf('1.0.0')).toBe(digest)
  expect(await local.manifest(digest)).toMatchObject({ digest, mediaType: manifestType })
  expect(await local.manifest('2.0.0')).toBe(undefined)
  expect(await local.digestOf('2.0.0')).toBe(undefined)
  expect(await local.tags()).toEqual(['1.0.0'])
  expect(await client(`127.0.0.1:${registry.port}`, {}, 'nobody').tags()).toEqual([])
  const file = join(directory, 'pulled')
  await local.pullBlob({ digest: digestOf(layer), size: layer.length }, file)
  expect(readFileSync(file).equals(layer)).toBe(true)
  expect((await local.readBlob({ digest: digestOf(layer), size: layer.length })).equals(layer)).toBe(true)
})

test('a layer of another repository of the same registry is not sent again', async () => {
  const layer = randomBytes(300_000)
  await pushed(client(`127.0.0.1:${registry.port}`), layer)
  const sent: string[] = []
  const url = await serving((incoming, response) => {
    sent.push(
      `${incoming.method} ${incoming.url!.replace(/sha256:\w+/, 'DIGEST')} ${incoming.headers['content-length'] ?? ''}`,
    )
    passingOn()(incoming, response)
  })
  await client(url, {}, 'other').pushFile(join(directory, 'layer'), { digest: digestOf(layer), size: layer.length })
  expect(sent).toEqual(['HEAD /v2/other/blobs/DIGEST ', 'POST /v2/other/blobs/uploads/?mount=DIGEST 0'])
})

describe('a registry that wants a login', () => {
  test('by name and password is told it', async () => {
    const behind = passingOn()
    const url = await serving((incoming, response) => {
      if (incoming.headers.authorization === `Basic ${Buffer.from('me:se:cret').toString('base64')}`)
        return behind(incoming, response)
      incoming.resume()
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="team"' }).end()
    })
    const me = client(url, { credentials: async () => ({ username: 'me', password: 'se:cret' }) })
    await pushed(me, Buffer.from('with a login'))
    expect(await me.digestOf('1.0.0')).toMatch(/^sha256:/)
    await expect(client(url).manifest('1.0.0')).rejects.toThrow(
      /team\/web:1\.0\.0: it answered 401; log in with: docker login/,
    )
  })

  test('by a token gets one for what is done, of a token service', async () => {
    const asked: string[] = []
    const behind = passingOn()
    const url: string = await serving((incoming, response) => {
      const { pathname, searchParams } = new URL(incoming.url!, 'http://x')
      if (pathname === '/token') {
        asked.push(`${searchParams.get('scope')} ${incoming.headers.authorization ?? ''}`)
        return response.end(JSON.stringify({ token: searchParams.get('scope') }))
      }
      const wanted = `repository:team/web:${incoming.method === 'GET' ? 'pull' : 'pull,push'}`
      if (incoming.headers.authorization?.startsWith(`Bearer ${wanted}`) === true) return behind(incoming, response)
      incoming.resume()
      const challenge = `Bearer realm="${url}/token",service="registry",scope="${wanted}"`
      return response.writeHead(401, { 'www-authenticate': challenge }).end()
    })
    const me = client(url, { credentials: async () => ({ username: 'me', password: 'x' }) })
    await pushed(me, Buffer.from('with a token'))
    expect(await me.manifest('1.0.0')).toBeDefined()
    const login = `Basic ${Buffer.from('me:x').toString('base64')}`
    expect(asked).toEqual([`repository:team/web:pull,push ${login}`, `repository:team/web:pull ${login}`])
  })

  test('takes a refresh token where that is what is kept', async () => {
    const url: string = await serving((incoming, response) => {
      if (incoming.url === '/token') {
        let body = ''
        incoming.on('data', part => (body += part))
        return incoming.on('end', () =>
          response.end(JSON.stringify({ access_token: new URLSearchParams(body).get('refresh_token') })),
        )
      }
      if (incoming.headers.authorization === 'Bearer kept')
        return response.writeHead(200, { 'docker-content-digest': 'sha256:1' }).end()
      return response.writeHead(401, { 'www-authenticate': `Bearer realm="${url}/token"` }).end()
    })
    expect(await client(url, { credentials: async () => ({ refreshToken: 'kept' }) }).digestOf('1')).toBe('sha256:1')
  })

  test('is not told it by who was sent there from elsewhere', async () => {
    const seen: (string | undefined)[] = []
    const bytes = Buffer.from('in a store of its own')
    const store = await serving((incoming, response) => {
      seen.push(incoming.headers.authorization)
      response.end(bytes)
    })
    const url = await serving((incoming, response) => {
      if (incoming.headers.authorization === undefined)
        return response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
      return response.writeHead(307, { location: `${store}/x` }).end()
    })
    const me = client(url, { credentials: async () => ({ username: 'me', password: 'x' }) })
    expect(await me.readBlob({ digest: digestOf(bytes), size: bytes.length })).toEqual(bytes)
    expect(seen).toEqual([undefined])
  })
})

describe('a connection that breaks', () => {
  test('while something is pulled is gone on with', async () => {
    const layer = randomBytes(900_000)
    await pushed(client(`127.0.0.1:${registry.port}`), layer)
    const url = await serving(passingOn({ download: 300_000 }))
    const file = join(directory, 'broken')
    await client(url).pullBlob({ digest: digestOf(layer), size: layer.length }, file)
    expect(readFileSync(file).equals(layer)).toBe(true)
  })

  test('again and again is told, and the next command goes on', async () => {
    const layer = randomBytes(900_000)
    await pushed(client(`127.0.0.1:${registry.port}`), layer)
    const url = await serving(passingOn({ download: 70_000 }))
    const file = join(directory, 'often-broken')
    const content = { digest: digestOf(layer), size: layer.length }
    await expect(client(url).pullBlob(content, file)).rejects.toThrow(/broke 6 times .*goes on where it stopped/)
    expect(readFileSync(file).length).toBeGreaterThan(0)
    await client(`127.0.0.1:${registry.port}`).pullBlob(content, file)
    expect(readFileSync(file).equals(layer)).toBe(true)
  })

  test('while something is sent is gone on with where the registry has it', async () => {
    const layer = randomBytes(2_000_000)
    let kept = Buffer.alloc(0)
    let breaks = 0
    const url = await serving((incoming, response) => {
      const state = { location: '/v2/team/web/blobs/uploads/1', range: `0-${kept.length - 1}` }
      if (incoming.method === 'PATCH') {
        expect(incoming.headers['content-range']).toBe(`${kept.length}-${layer.length - 1}`)
        incoming.on('data', (part: Buffer) => {
          if (breaks < 3 && kept.length > (breaks + 1) * 400_000) {
            breaks++
            return incoming.destroy()
          }
          if (!incoming.destroyed) kept = Buffer.concat([kept, part])
        })
        return incoming.on('end', () => response.writeHead(202, { location: state.location }).end())
      }
      incoming.resume()
      if (incoming.method === 'HEAD') return response.writeHead(404).end()
      if (incoming.method === 'PUT') return response.writeHead(201).end()
      return response.writeHead(incoming.method === 'POST' ? 202 : 204, state).end()
    })
    const file = join(directory, 'sent')
    writeFileSync(file, layer)
    await client(url).pushFile(file, { digest: digestOf(layer), size: layer.length })
    expect([breaks, kept.equals(layer)]).toEqual([3, true])
  })

  test('never leaves content of another digest', async () => {
    const layer = randomBytes(1000)
    await pushed(client(`127.0.0.1:${registry.port}`), layer)
    const file = join(directory, 'spoilt')
    writeFileSync(file, 'not the beginning')
    const content = { digest: digestOf(layer), size: layer.length }
    const local = client(`127.0.0.1:${registry.port}`)
    await expect(local.pullBlob(content, file)).rejects.toThrow(/gives sha256:\w+ when it is asked for sha256:/)
    await local.pullBlob(content, file)
    expect(readFileSync(file).equals(layer)).toBe(true)
  })
})

test('where there is no registry, nothing is sent on to, and one that says no says why', async () => {
  await expect(client('127.0.0.1:1').digestOf('1')).rejects.toThrow(BuildError)
  await expect(client('127.0.0.1:1').digestOf('1')).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached .*sampan up/)
  const denied = await serving((_incoming, response) =>
    response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message: 'not for you' }] })),
  )
  await expect(client(denied).manifest('1')).rejects.toThrow(/it answered 403 DENIED: not for you; log in with/)
  const circle: string = await serving((incoming, response) =>
    response.writeHead(302, { location: incoming.url! }).end(),
  )
  await expect(client(circle).manifest('1')).rejects.toThrow(/in a circle/)
  expect(await findDigest(client(denied), '1')).toEqual({
    reason: expect.stringContaining('it answered 403') as string,
  })
})
