import { expect, test } from 'vitest'
import { accessPolicy, policedModel } from '../testing/policed-gateway.ts'
import { explainRequest } from './explain-request.ts'

const known = policedModel(8080, 3000, {
  rules: { all: { matches: [{ path: { type: 'PathPrefix', value: '/' } }] }, guarded: {} },
  accessPolicies: [accessPolicy('guarded', 'guarded', { authentication: { keys: { header: 'x-key' } } })],
})

const explained = (path: string): string =>
  explainRequest(known, {
    scheme: 'http',
    address: '127.0.0.1',
    port: 8080,
    host: 'shop.localhost',
    path,
    search: '',
    method: 'GET',
    headers: {},
    query: {},
  }).found

test.each([
  ['/x%2Fy', 'rule'],
  ['/guarded', 'rule'],
  ['/guarded;x', 'two readings'],
  ['/x/..%2Fguarded', 'two readings'],
  // Both lead there.
  ['/guarded/x%2Fy', 'rule'],
])('%s: %s', (path, found) => {
  expect(explained(path)).toBe(found)
})
