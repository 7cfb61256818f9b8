import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseApiPath, type ApiPath } from './api-path.ts'

test.each<[string, ApiPath | undefined]>([
  ['/api/v1/pods', { group: '', version: 'v1', plural: 'pods', watch: false }],
  ['/api/v1/pods/', { group: '', version: 'v1', plural: 'pods', watch: false }],
  ['/api/v1/namespaces/n/pods', { group: '', version: 'v1', namespace: 'n', plural: 'pods', watch: false }],
  [
    '/api/v1/namespaces/n/pods/p/log',
    { group: '', version: 'v1', namespace: 'n', plural: 'pods', name: 'p', subresource: 'log', watch: false },
  ],
  [
    '/api/v1/namespaces/n/services/s/proxy/a/b',
    {
      group: '',
      version: 'v1',
      namespace: 'n',
      plural: 'services',
      name: 's',
      subresource: 'proxy',
      rest: 'a/b',
      watch: false,
    },
  ],
  ['/api/v1/namespaces', { group: '', version: 'v1', plural: 'namespaces', watch: false }],
  ['/api/v1/namespaces/n', { group: '', version: 'v1', plural: 'namespaces', name: 'n', watch: false }],
  [
    '/api/v1/namespaces/n/status',
    { group: '', version: 'v1', plural: 'namespaces', name: 'n', subresource: 'status', watch: false },
  ],
  [
    '/api/v1/namespaces/n/finalize',
    { group: '', version: 'v1', plural: 'namespaces', name: 'n', subresource: 'finalize', watch: false },
  ],
  [
    '/apis/apps/v1/namespaces/n/deployments/d/scale',
    {
      group: 'apps',
      version: 'v1',
      namespace: 'n',
      plural: 'deployments',
      name: 'd',
      subresource: 'scale',
      watch: false,
    },
  ],
  ['/api/v1/watch/namespaces/n/pods', { group: '', version: 'v1', namespace: 'n', plural: 'pods', watch: true }],
  ['/api/v1/watch/pods', { group: '', version: 'v1', plural: 'pods', watch: true }],
  ['/api/v1/nodes/a%2Fb', { group: '', version: 'v1', plural: 'nodes', name: 'a/b', watch: false }],
  ['/api/v1/nodes/%zz', { group: '', version: 'v1', plural: 'nodes', name: '%zz', watch: false }],
  ['/api', undefined],
  ['/api/v1', undefined],
  ['/apis/apps/v1', undefined],
  ['/api/v1/watch', undefined],
  ['/healthz', undefined],
  ['/', undefined],
  ['', undefined],
])('%s', (path, parts) => {
  expect(parseApiPath(path)).toEqual(parts)
})

test('whatever is asked for, nothing is thrown', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom('api', 'apis', 'v1', 'watch', 'namespaces', ''), fc.string())),
      segments => {
        expect(() => parseApiPath(`/${segments.join('/')}`)).not.toThrow()
      },
    ),
  )
})
