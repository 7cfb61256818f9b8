import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Site } from './static-server.ts'

const types = {
  html: 'text/html',
  js: 'text/javascript',
  json: 'application/json',
  png: 'image/png',
  txt: 'text/plain',
}
const long = `console.log("${'a'.repeat(5000)}")`

let directory = ''
let server: Server
let port = 0

async function serve(isSinglePage = false): Promise<void> {
  const site = new Site({ directory, isSinglePage, types })
  server = createServer((asked, answer) => void site.answer(asked, answer))
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  port = (server.address() as AddressInfo).port
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-site-'))
  put('index.html', '<h1>home</h1>')
  put('about.html', '<h1>about</h1>')
  put('docs/index.html', '<h1>docs</h1>')
  put('assets/app-4f2a9c1b.js', long)
  put('data.json', '{"a":1}')
  put('.env', 'SECRET')
  put('.well-known/security.txt', 'call us')
  put('picture.png', 'x'.repeat(2000))
  put('a b ü.txt', 'odd')
  put('empty.txt', '')
  writeFileSync(`${directory}-outside.txt`, 'outside')
  await serve()
})
afterEach(async () => {
  await new Promise(resolve => {
    server.close(resolve)
  })
  rmSync(directory, { recursive: true })
  rmSync(`${directory}-outside.txt`)
})

function put(path: string, content: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), content)
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers, method, agent: false }, response => {
      buffer(response).then(body => resolve({ status: response.statusCode!, headers: response.headers, body }), reject)
    })
      .on('error', reject)
      .end()
  })
}

const text = async (path: string): Promise<[number, string]> => {
  const { status, body } = await ask(path)
  return [status, body.toString()]
}

describe('the server of pages', () => {
  test('answers with files, indexes of folders and pages without their ending', async () => {
    expect(await text('/')).toEqual([200, '<h1>home</h1>'])
    expect(await text('/?a=1')).toEqual([200, '<h1>home</h1>'])
    expect(await text('/docs/')).toEqual([200, '<h1>docs</h1>'])
    expect(await text('/about')).toEqual([200, '<h1>about</h1>'])
    expect(await text('/a%20b%20%C3%BC.txt')).toEqual([200, 'odd'])
    expect(await text('/empty.txt')).toEqual([200, ''])
    expect(await text('/.well-known/security.txt')).toEqual([200, 'call us'])
    const folder = await ask('/docs?x=1')
    expect([folder.status, folder.headers.location]).toEqual([308, '/docs/?x=1'])
  })

  test('leads nobody to another server', async () => {
    mkdirSync(join(directory, 'evil.example'))
    put('evil.example/index.html', '')
    expect((await ask('//evil.example')).headers.location).toBe('/evil.example/')
  })

  test('says what a file is, and nothing of times', async () => {
    const { headers } = await ask('/')
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      'accept-ranges': 'bytes',
    })
    expect(headers['last-modified']).toBeUndefined()
    expect((await ask('/picture.png')).headers['content-type']).toBe('image/png')
    expect((await ask('/assets/app-4f2a9c1b.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable')
  })

  test.each([
    '/nothing',
    '/.env',
    '/docs/nothing',
    '/data.json/',
    '/../outside.txt',
    '/%2e%2e/outside.txt',
    '/..%2foutside.txt',
    '/docs/..%2f..%2foutside.txt',
    '/assets',
  ])('has no %s', async path => {
    put('assets/.keep', '')
    const { status, body } = await ask(path)
    expect(status).toBe(404)
    expect(body.toString()).not.toContain('outside')
    expect((await ask(`/../${directory.split('/').at(-1)}-outside.txt`)).status).toBe(404)
  })

  test('refuses what is no path and no question', async () => {
    expect((await ask('/%')).status).toBe(400)
    expect((await ask('/a%00b')).status).toBe(400)
    expect((await ask('/a%5Cb')).status).toBe(400)
    const posted = await ask('/', {}, 'POST')
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD'])
  })

  test('answers HEAD as GET, without the content', async () => {
    const [get, head] = [await ask('/data.json'), await ask('/data.json', {}, 'HEAD')]
    expect(head.body.length).toBe(0)
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' })
    expect(
      (await ask('/assets/app-4f2a9c1b.js', { 'accept-encoding': 'br' }, 'HEAD')).headers['content-encoding'],
    ).toBe('br')
  })

  test('has its own page for what is missing', async () => {
    put('404.html', '<h1>lost</h1>')
    const { status, body, headers } = await ask('/nothing')
    expect([status, body.toString(), headers['content-type']]).toEqual([
      404,
      '<h1>lost</h1>',
      'text/html; charset=utf-8',
    ])
    expect((await ask('/nothing', { 'if-none-match': '*', range: 'bytes=0-1' })).status).toBe(404)
  })

  test('of a single page answers other paths with it, but no missing picture', async () => {
    await new Promise(resolve => {
      server.close(resolve)
    })
    await serve(true)
    expect(await text('/orders/12')).toEqual([200, '<h1>home</h1>'])
    expect((await ask('/logo.png')).status).toBe(404)
  })

  test('compresses what is worth it, as the client likes it', async () => {
    const encoded = async (accepted: string, path = '/assets/app-4f2a9c1b.js'): Promise<Answer> =>
      ask(path, { 'accept-encoding': accepted })
    const br = await encoded('gzip, deflate, br')
    expect(br.headers['content-encoding']).toBe('br')
    expect(br.headers['vary']).toBe('accept-encoding')
    expect(brotliDecompressSync(br.body).toString()).toBe(long)
    const gzip = await encoded('br;q=0, gzip')
    expect(gunzipSync(gzip.body).toString()).toBe(long)
    expect(gzip.headers.etag).not.toBe(br.headers.etag)
    expect((await encoded('identity')).body.toString()).toBe(long)
    expect((await encoded('*')).headers['content-encoding']).toBe('br')
    expect((await encoded('br', '/picture.png')).headers['content-encoding']).toBeUndefined()
    expect((await encoded('br', '/data.json')).headers['content-encoding']).toBeUndefined()
  })

  test('answers that nothing changed, however it was sent', async () => {
    const { headers } = await ask('/assets/app-4f2a9c1b.js', { 'accept-encoding': 'br' })
    const again = await ask('/assets/app-4f2a9c1b.js', { 'if-none-match': `"other", W/${headers.etag}` })
    expect([again.status, again.body.length]).toEqual([304, 0])
    expect((await ask('/', { 'if-none-match': '*' })).status).toBe(304)
    expect((await ask('/', { 'if-none-match': '"other"' })).status).toBe(200)
  })

  test('has tags that come from the content alone, and sees when it changes', async () => {
    const before = (await ask('/data.json')).headers.etag
    utimesSync(join(directory, 'data.json'), 1, 1)
    expect((await ask('/data.json')).headers.etag).toBe(before)
    put('data.json', '{"a":2}')
    const after = await ask('/data.json')
    expect(after.headers.etag).not.toBe(before)
    expect(after.body.toString()).toBe('{"a":2}')
  })

  test('answers with parts', async () => {
    const part = async (
      range: string,
      more: Record<string, string> = {},
    ): Promise<[number, string, string | undefined]> => {
      const { status, body, headers } = await ask('/about.html', { range, 'accept-encoding': 'br', ...more })
      return [status, body.toString(), headers['content-range']]
    }
    expect(await part('bytes=0-3')).toEqual([206, '<h1>', 'bytes 0-3/14'])
    expect(await part('bytes=9-')).toEqual([206, '</h1>', 'bytes 9-13/14'])
    expect(await part('bytes=-5')).toEqual([206, '</h1>', 'bytes 9-13/14'])
    expect(await part('bytes=0-999')).toEqual([206, '<h1>about</h1>', 'bytes 0-13/14'])
    expect(await part('bytes=14-')).toEqual([416, '', 'bytes */14'])
    expect(await part('bytes=-0')).toEqual([416, '', 'bytes */14'])
    for (const whole of ['bytes=0-1,3-4', 'bytes=x', 'lines=1-2', 'bytes=5-2'])
      expect(await part(whole)).toEqual([200, '<h1>about</h1>', undefined])
    expect(await part('bytes=0-3', { 'if-range': '"old"' })).toEqual([200, '<h1>about</h1>', undefined])
    const { etag } = (await ask('/about.html')).headers
    expect(await part('bytes=0-3', { 'if-range': etag! })).toEqual([206, '<h1>', 'bytes 0-3/14'])
  })

  test('follows links that the image has, and takes one that leads nowhere for nothing', async () => {
    symlinkSync('about.html', join(directory, 'link.html'))
    symlinkSync('gone.html', join(directory, 'broken.html'))
    expect(await text('/link.html')).toEqual([200, '<h1>about</h1>'])
    expect((await ask('/broken.html')).status).toBe(404)
  })
})
