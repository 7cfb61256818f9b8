// Replays what a kube-apiserver 1.26.1 was asked and compares the answers. The recordings are reference
// data beside the repository; without them the test is skipped and says so.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../../src/testing/in-process-server.ts'
import { differences } from '../../src/testing/exchange-differences.ts'
import { knownDifferences } from './known-differences.ts'

interface Exchange {
  name: string
  request: { method: string; path: string; body?: unknown; accept?: string; contentType?: string; headers?: Record<string, string> }
  response?: { status: number; warnings?: string[]; body?: unknown }
}

const file = fileURLToPath(new URL('../../../shared/reference/exchanges-1.26.jsonl', import.meta.url))
const present = existsSync(file)
if (!present) console.log('skipped: the recorded exchanges of a kube-apiserver are not on this machine')

describe.skipIf(!present)('recorded exchanges of a kube-apiserver', () => {
  const exchanges = present ? readFileSync(file, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Exchange) : []
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
  })
  afterAll(() => server.close())

  for (const exchange of exchanges) {
    test(exchange.name, async () => {
      const { method, path, body, accept, contentType, headers } = exchange.request
      const answer = await server.call(method, path, { body, headers: { ...(accept !== undefined && { Accept: accept }), ...(contentType !== undefined && { 'Content-Type': contentType }), ...headers } })
      expect(answer.status, answer.text).toBeLessThan(500)
      if (exchange.response === undefined || knownDifferences[exchange.name] !== undefined) return
      expect(answer.status, answer.text).toBe(exchange.response.status)
      expect(differences(exchange.response.body, answer.json)).toEqual([])
    })
  }
})
