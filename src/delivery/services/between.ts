/** A text, what a stream holds, and a text behind it when all of that has come. */
export async function* between(first: string, rest: AsyncIterable<Buffer>, last = ''): AsyncGenerator<Buffer> {
  yield Buffer.from(first)
  yield* rest
  yield Buffer.from(last)
}
