import { expect, test } from 'vitest'
import type { Pod, PodSpec } from '../api/generated/models.ts'
import { parseResolvConf } from '../lib/resolv-conf.ts'
import { dnsSettings, hostNameOf, hostsFile } from './name-resolution.ts'

const network = { podCidr: '', serviceCidr: '', dnsAddress: '10.43.0.10', nodeAddress: '', domain: 'cluster.local' }
const host = parseResolvConf('# comment\nnameserver 192.168.1.1\nsearch example.org lan\noptions edns0 trust-ad\n')
const podWith = (spec: Partial<PodSpec>): Pod =>
  ({ metadata: { name: 'web-0', namespace: 'shop' }, spec: { containers: [], ...spec } }) as unknown as Pod

test('cluster DNS comes with the search list of the namespace', () => {
  expect(dnsSettings(podWith({}), network, host)).toEqual({
    servers: ['10.43.0.10'],
    searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.org', 'lan'],
    options: ['ndots:5'],
  })
})

test('policies and own settings', () => {
  expect(dnsSettings(podWith({ dnsPolicy: 'Default' }), network, host)).toEqual({
    servers: ['192.168.1.1'],
    searches: ['example.org', 'lan'],
    options: ['edns0', 'trust-ad'],
  })
  expect(dnsSettings(podWith({ hostNetwork: true }), network, host).servers).toEqual(['192.168.1.1'])
  expect(
    dnsSettings(podWith({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }), network, host).servers,
  ).toEqual(['10.43.0.10'])
  expect(
    dnsSettings(
      podWith({
        dnsPolicy: 'None',
        dnsConfig: {
          nameservers: ['1.1.1.1'],
          searches: ['a'],
          options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
        },
      }),
      network,
      host,
    ),
  ).toEqual({ servers: ['1.1.1.1'], searches: ['a'], options: ['ndots:2', 'edns0'] })
})

test('a resolver on loopback is of use only in the machine’s network', () => {
  const loopback = parseResolvConf('nameserver 127.0.0.53\nnameserver ::1\nnameserver 192.168.1.1\n')
  const serversOf = (spec: Partial<PodSpec>) => dnsSettings(podWith(spec), network, loopback).servers
  expect(serversOf({ dnsPolicy: 'Default' })).toEqual(['10.43.0.10', '192.168.1.1'])
  expect(serversOf({ dnsPolicy: 'Default', hostNetwork: true })).toEqual(['127.0.0.53', '::1', '192.168.1.1'])
})

test('host names and /etc/hosts', () => {
  expect(hostNameOf(podWith({}), 'cluster.local')).toEqual({ hostname: 'web-0', domain: '' })
  const named = podWith({ hostname: 'zero', subdomain: 'web', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] })
  expect(hostsFile(named, '10.42.0.5', 'cluster.local', '')).toContain(
    '10.42.0.5\tzero.web.shop.svc.cluster.local\tzero\n',
  )
  expect(hostsFile(named, '10.42.0.5', 'cluster.local', '')).toContain(
    '# Entries added by HostAliases.\n1.2.3.4\ta\tb\n',
  )
})
