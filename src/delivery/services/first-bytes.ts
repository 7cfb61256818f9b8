/** A text, then what a stream holds. */
export async function* withFirst(first: string, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield Buffer.from(first)
  yield* rest
}
