import { expect, test } from 'vitest'
import { machineDnsOf, parseResolvConf } from './resolv-conf.ts'

const stub = 'nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n'

test('what resolv.conf says', () => {
  expect(
    parseResolvConf('# nameserver 9.9.9.9\nnameserver 192.168.1.1\nsearch old\nsearch example.org. lan\n'),
  ).toEqual({
    servers: ['192.168.1.1'],
    searches: ['example.org', 'lan'],
    options: [],
  })
  expect(parseResolvConf(stub).searches).toEqual([])
  expect(
    parseResolvConf('nameserver 8.8.8.8  # eth0:v4\nnameserver 9.9.9.9 8.8.4.4\nsearch lan ; old\noptions rotate #x\n'),
  ).toEqual({ servers: ['8.8.8.8', '9.9.9.9'], searches: ['lan'], options: ['rotate'] })
})

test.each<[string, string, string, string[], string[]]>([
  ['real resolvers', 'nameserver 192.168.1.1\n', '', ['192.168.1.1'], ['192.168.1.1']],
  ['systemd-resolved', stub, 'nameserver 192.168.1.1\nsearch lan\n', ['192.168.1.1'], ['192.168.1.1']],
  [
    'systemd-resolved that is not in use',
    'nameserver 10.0.0.1\n',
    'nameserver 192.168.1.1\n',
    ['10.0.0.1'],
    ['10.0.0.1'],
  ],
  ['systemd-resolved without a network', stub, '', ['127.0.0.53'], ['127.0.0.53']],
  ['systemd-resolved with IPv6 resolvers only', stub, 'nameserver fd00::1\n', ['fd00::1'], ['127.0.0.53']],
  ['a resolver of the machine’s own', 'nameserver 127.0.0.1\n', '', ['127.0.0.1'], ['127.0.0.1']],
  ['nothing', '', '', [], []],
])('%s', (_what, main, behind, servers, upstream) => {
  const found = machineDnsOf(main, behind)
  expect(found.settings.servers).toEqual(servers)
  expect(found.upstream).toEqual(upstream)
})
