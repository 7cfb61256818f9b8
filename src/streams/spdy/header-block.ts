// SPDY/3 header blocks: name/value pairs, compressed with one zlib stream for each direction that starts
// with a dictionary everybody knows. Every block ends at a byte boundary (sync flush), so each can be
// (de)compressed on its own when the bytes before it serve as its dictionary: no stream state, no waiting.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'

export type SpdyHeaders = Readonly<Record<string, string>>

const windowBytes = 32_768
const maximumBlockBytes = 1 << 20

/** The words of the SPDY/3 specification, section 2.6.10.1, each behind its length in four bytes. */
const words = (
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control ' +
  'connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires ' +
  'from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate ' +
  'proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status'
)
  .split(' ')
  .concat('200 OK', 'version', 'HTTP/1.1', 'url', 'public', 'set-cookie', 'keep-alive', 'origin')

const phrases =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found' +
  '500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 ' +
  'Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,' +
  'text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.'

export const dictionary = Buffer.concat([...words.map(word => lengthPrefixed(word)), Buffer.from(phrases)])

/** zlib's two bytes "deflate, 32 KiB window, dictionary follows" and the dictionary's Adler-32. */
const zlibHeader = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2])

export class HeaderCompressor {
  private window: Buffer | undefined

  compress(headers: SpdyHeaders): Buffer {
    const plain = encodePairs(headers)
    const first = this.window === undefined
    const window = this.window ?? dictionary
    const block = deflateRawSync(plain, { dictionary: window, finishFlush: constants.Z_SYNC_FLUSH })
    this.window = Buffer.concat([window, plain]).subarray(-windowBytes)
    return first ? Buffer.concat([zlibHeader, block]) : block
  }
}

export class HeaderDecompressor {
  private window: Buffer | undefined

  /** @throws Error on a block that is no zlib or no list of pairs */
  decompress(block: Buffer): SpdyHeaders {
    const hasDictionary = (block[1]! & 0x20) !== 0
    const body = this.window !== undefined ? block : block.subarray(hasDictionary ? 6 : 2)
    const window = this.window ?? (hasDictionary ? dictionary : Buffer.alloc(0))
    const plain = inflateRawSync(body, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: maximumBlockBytes,
      ...(window.length > 0 && { dictionary: window }),
    })
    this.window = Buffer.concat([window, plain]).subarray(-windowBytes)
    return decodePairs(plain)
  }
}

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function encodePairs(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers)
  const count = Buffer.alloc(4)
  count.writeUInt32BE(entries.length)
  return Buffer.concat([
    count,
    ...entries.flatMap(([name, value]) => [lengthPrefixed(name.toLowerCase()), lengthPrefixed(value)]),
  ])
}

function decodePairs(plain: Buffer): SpdyHeaders {
  let offset = 4
  const text = (): string => {
    const length = plain.readUInt32BE(offset)
    const value = plain.toString('utf8', offset + 4, offset + 4 + length)
    offset += 4 + length
    return value
  }
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (let count = plain.readUInt32BE(0); count > 0; count--) {
    const name = text().toLowerCase()
    headers[name] = text()
  }
  return headers
}
