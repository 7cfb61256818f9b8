// Ranges of bytes as HTTP asks for them. Pure. Source: RFC 9110, 14.1.2 and 14.2.

export interface ByteRange {
  readonly start: number
  /** The last byte. */
  readonly end: number
}

/** What cannot be served in one piece is not looked at, as the standard allows. @returns undefined: all of it; null: none */
export function byteRange(header: string | undefined, size: number): ByteRange | undefined | null {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  // The last so many bytes.
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start > end ? null : { start, end }
}

/** Of a chunk that is pushed: `0-99`. @returns undefined: none is said; null: it is none */
export function chunkRange(header: string | undefined): ByteRange | undefined | null {
  if (header === undefined) return undefined
  const [, start, end] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim()) ?? []
  if (start === undefined || Number(end) < Number(start)) return null
  return { start: Number(start), end: Number(end) }
}
