import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeInSlices } from './slices.ts'

/** Lets `answer` answer one request. @returns what the client gets, and what `answer` gave */
async function exchange(
  answer: (response: ServerResponse) => Promise<boolean>,
  read: (response: IncomingMessage) => Promise<Buffer>,
): Promise<{ body: Buffer; all: boolean }> {
  let done: Promise<boolean> | undefined
  const server = createServer((_request, response) => {
    done = answer(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) =>
      get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false }, resolve).once(
        'error',
        reject,
      ),
    )
    const body = await read(response)
    return { body, all: await done! }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function everything(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

test('parts of every size arrive whole and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(120_000), { maxLength: 12 }), async sizes => {
      const parts = sizes.map((size, index) => Buffer.alloc(size, index + 1))
      const { body, all } = await exchange(async response => {
        const all = await writeInSlices(response, parts)
        response.end()
        return all
      }, everything)
      expect(all).toBe(true)
      expect(body.equals(Buffer.concat(parts))).toBe(true)
    }),
    { numRuns: 20, examples: [[[0, 120_000, 5]]] },
  )
})

test('nothing more is made for a client that left', async () => {
  let made = 0
  function* endless(): Generator<Buffer> {
    for (;;) {
      made++
      yield Buffer.alloc(40_000)
    }
  }
  const { all } = await exchange(
    response => writeInSlices(response, endless()),
    async response => {
      response.destroy()
      return Buffer.alloc(0)
    },
  )
  expect(all).toBe(false)
  expect(made).toBeLessThan(1000)
})

test('a response that was ended meanwhile takes nothing more', async () => {
  const { all } = await exchange(async response => {
    response.end()
    return writeInSlices(response, [Buffer.alloc(10)])
  }, everything)
  expect(all).toBe(false)
})
