import { expect, test } from 'vitest'
import { ApiError } from '../../api/api-error.ts'
import { negotiate, negotiatePlain, prefersAggregatedDiscovery, type Accepted } from './negotiation.ts'

const tableParameters = 'as=Table;v=v1;g=meta.k8s.io'

test.each<[string | undefined, Accepted]>([
  [undefined, { format: 'json' }],
  ['', { format: 'json' }],
  ['*/*', { format: 'json' }],
  ['application/*', { format: 'json' }],
  ['application/json', { format: 'json' }],
  ['application/yaml', { format: 'yaml' }],
  ['application/vnd.kubernetes.protobuf', { format: 'protobuf' }],
  ['application/vnd.kubernetes.protobuf, application/json', { format: 'protobuf' }],
  ['text/html, application/json;q=0.9, */*;q=0.8', { format: 'json' }],
  [`application/json;${tableParameters},application/json`, { format: 'json', as: 'Table' }],
  ['application/json; as=Table; v=v1beta1; g=meta.k8s.io', { format: 'json', as: 'Table' }],
  ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', { format: 'json' }],
  ['application/json;as=Something;v=v1;g=meta.k8s.io,application/yaml', { format: 'yaml' }],
  [
    'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    { format: 'protobuf', as: 'PartialObjectMetadataList' },
  ],
])('%s', (accept, accepted) => {
  expect(negotiate(accept)).toEqual(accepted)
  expect(negotiate(accept)).toEqual(accepted)
})

test.each(['text/html', 'application/xml', 'application/json;as=Table;v=v9;g=meta.k8s.io'])(
  '%s cannot be given',
  accept => {
    expect(() => negotiate(accept)).toThrow(ApiError)
    expect(() => negotiate(accept)).toThrow(
      '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    )
  },
)

test('answers without columns are no tables', () => {
  expect(() => negotiatePlain(`application/json;${tableParameters}`)).toThrow('406')
  expect(negotiatePlain(`application/json;${tableParameters},application/yaml`)).toEqual({ format: 'yaml' })
})

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
test.each([
  [aggregated, true],
  [`${aggregated},application/json`, true],
  [`application/json,${aggregated}`, false],
  [aggregated.replace('v=v2', 'v=v2beta1'), false],
  ['application/json', false],
  ['', false],
])('aggregated discovery for %s: %s', (accept, expected) => {
  expect(prefersAggregatedDiscovery(accept)).toBe(expected)
})
