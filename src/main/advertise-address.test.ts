import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { advertisedAddress } from './advertise-address.ts'
import { clusterKeys } from './cluster-keys.ts'
import type { ClusterFacts, ClusterPlaces } from './data-directory.ts'

const directory = (): string => {
  const data = mkdtempSync(join(tmpdir(), 'sampan-advertise-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  return data
}

test('the address is remembered until another one or none is asked for; others than IPv4 of a machine are refused', () => {
  const data = directory()
  expect(advertisedAddress({ data }, undefined)).toBeUndefined()
  expect(advertisedAddress({ data }, '10.0.0.7')).toBe('10.0.0.7')
  for (const wrong of ['', 'host', '127.0.0.1', '0.0.0.0', '::1', '224.0.0.1'])
    expect(() => advertisedAddress({ data }, wrong)).toThrow(/expected --advertise-address with an IPv4 address/)
  expect(advertisedAddress({ data }, undefined)).toBe('10.0.0.7')
  expect(advertisedAddress({ data }, 'none')).toBeUndefined()
  expect(advertisedAddress({ data }, undefined)).toBeUndefined()
})

test('the certificate of the server is made anew when it does not name an address or a host', async () => {
  const places = { keys: join(directory(), 'keys') } as ClusterPlaces
  const facts = {
    name: 'c',
    nodeName: 'n',
    network: { nodeAddress: '10.42.255.254', serviceCidr: '10.43.0.0/16', domain: 'cluster.local' },
  } as ClusterFacts
  const serving = async (advertised?: string, names: string[] = []): Promise<string> =>
    (await clusterKeys(places, facts, Date.now(), { addresses: [advertised ?? '127.0.0.1'], names })).serving
      .certificate
  const before = await serving()
  const after = await serving('10.0.0.7')
  expect([before, after].map(certificate => new X509Certificate(certificate).checkIP('10.0.0.7'))).toEqual([
    undefined,
    '10.0.0.7',
  ])
  expect(await serving('10.0.0.7')).toBe(after)
  const named = await serving('10.0.0.7', ['sampan.example'])
  expect([after, named].map(certificate => new X509Certificate(certificate).checkHost('sampan.example'))).toEqual([
    undefined,
    'sampan.example',
  ])
  expect(await serving('10.0.0.7', ['sampan.example'])).toBe(named)
})
