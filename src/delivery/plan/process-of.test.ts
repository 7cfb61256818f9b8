import { expect, test } from 'vitest'
import { plainManifest } from '../../testing/memory-delivery.ts'
import type { Materials, ServiceMaterial } from './materials.ts'
import { processOf } from './process-of.ts'

test('a variable that two backing services give is that of the first', () => {
  const material = (name: string, ...variables: string[]): ServiceMaterial =>
    ({ credentials: { name }, variables }) as unknown as ServiceMaterial
  const services = [
    material('of-postgres', 'DATABASE_URL', 'PGHOST'),
    material('of-mysql', 'MYSQL_URL', 'DATABASE_URL'),
  ]
  const materials = { image: { reference: 'hcn:1' }, services } as unknown as Materials
  expect(processOf(plainManifest, '1', materials).variables).toMatchObject({
    DATABASE_URL: { secret: 'of-postgres', key: 'DATABASE_URL' },
    PGHOST: { secret: 'of-postgres', key: 'PGHOST' },
    MYSQL_URL: { secret: 'of-mysql', key: 'MYSQL_URL' },
  })
})

test.each([
  [
    [
      { name: 'grpc', port: 50_051 },
      { name: 'http', port: 8080 },
    ],
    '8080',
  ],
  [
    [
      { name: 'grpc', port: 50_051 },
      { name: 'metrics', port: 9100 },
    ],
    '50051',
  ],
  [[], undefined],
])('with the ports %j a service is told to listen at %s', (ports, port) => {
  const manifest = { ...plainManifest, ports: ports.map(each => ({ ...each, protocol: 'TCP' as const })) }
  const materials = { image: { reference: 'hcn:1' }, services: [] } as unknown as Materials
  const { variables } = processOf(manifest, '1', materials)
  expect(variables['PORT']).toEqual(port === undefined ? undefined : { value: port })
  expect(processOf({ ...manifest, environment: { PORT: { value: '1' } } }, '1', materials).variables['PORT']).toEqual({
    value: '1',
  })
})
