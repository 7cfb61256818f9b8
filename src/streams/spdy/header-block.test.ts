import { constants, createDeflate } from 'node:zlib'
import { expect, test } from 'vitest'
import { HeaderCompressor, HeaderDecompressor, dictionary } from './header-block.ts'

function adler32(bytes: Buffer): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return b * 65_536 + a
}

test('the dictionary is the one of the SPDY/3 specification', () => {
  expect(dictionary.length).toBe(1423)
  expect(adler32(dictionary).toString(16)).toBe('e3c6a7c2')
})

test('what is compressed comes back, block after block', () => {
  const compressor = new HeaderCompressor()
  const decompressor = new HeaderDecompressor()
  for (let round = 0; round < 200; round++) {
    const headers = {
      streamtype: 'error',
      port: String(8000 + round),
      requestid: String(round),
      long: 'x'.repeat(round * 7),
    }
    expect({ ...decompressor.decompress(compressor.compress(headers)) }).toEqual(headers)
  }
})

test('blocks of an ordinary zlib stream are understood', async () => {
  const deflate = createDeflate({ dictionary })
  const decompressor = new HeaderDecompressor()
  for (const type of ['stdin', 'stdout', 'stdout']) {
    const plain = Buffer.concat([
      Buffer.from([0, 0, 0, 1, 0, 0, 0, 10]),
      Buffer.from('streamtype'),
      Buffer.from([0, 0, 0, type.length]),
      Buffer.from(type),
    ])
    const chunks: Buffer[] = []
    const collect = (chunk: Buffer): number => chunks.push(chunk)
    deflate.on('data', collect)
    deflate.write(plain)
    await new Promise<void>(resolve => {
      deflate.flush(constants.Z_SYNC_FLUSH, resolve)
    })
    deflate.off('data', collect)
    expect({ ...decompressor.decompress(Buffer.concat(chunks)) }).toEqual({ streamtype: type })
  }
})
