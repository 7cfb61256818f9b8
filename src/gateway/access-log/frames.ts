// Messages as HAProxy sends them over a stream: each behind its length. Pure. Source: RFC 6587, 3.4.1.

export interface Received {
  readonly messages: readonly string[]
  /** The beginning of one that is not there yet. */
  readonly rest: Buffer
}

/** No length of a message has more digits. */
const mostDigits = 7

/** @returns undefined when these are no messages */
export function received(bytes: Buffer): Received | undefined {
  const messages: string[] = []
  let at = 0
  for (;;) {
    const space = bytes.indexOf(0x20, at)
    const digits = bytes.toString('latin1', at, space === -1 ? Math.min(bytes.length, at + mostDigits + 1) : space)
    if (!/^\d*$/.test(digits) || digits.length > mostDigits) return undefined
    const end = space + 1 + Number(digits)
    if (space === -1 || end > bytes.length) return { messages, rest: bytes.subarray(at) }
    if (digits === '') return undefined
    messages.push(bytes.toString('utf8', space + 1, end).trimEnd())
    at = end
  }
}
