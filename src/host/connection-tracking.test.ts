import { expect, test } from 'vitest'
import { readFlows } from './connection-tracking.ts'

test('a listing of conntrack: where to, and who answers', () => {
  const listing = `udp      17 27 src=10.42.0.3 dst=10.43.0.10 sport=38911 dport=53 src=10.42.255.254 dst=10.42.0.3 sport=5353 dport=38911 [ASSURED] mark=0 use=1
udp      17 29 src=127.0.0.1 dst=127.0.0.1 sport=4000 dport=30053 [UNREPLIED] src=127.0.0.1 dst=127.0.0.1 sport=30053 dport=4000 mark=0 secctx=system_u use=1
sctp     132 9 ESTABLISHED src=10.42.0.3 dst=10.43.0.11 sport=4000 dport=7 packets=1 bytes=28 src=10.42.0.9 dst=10.42.0.3 sport=70 dport=4000 packets=0 bytes=0 [ASSURED] mark=0 use=1
udp      17 29 src=fe80::1 dst=ff02::fb sport=5353 dport=5353 [UNREPLIED] src=ff02::fb dst=fe80::1 sport=5353 dport=5353 mark=0 use=1
`
  expect(readFlows(listing)).toEqual([
    { protocol: 'udp', address: '10.43.0.10', port: 53, target: '10.42.255.254', targetPort: 5353 },
    { protocol: 'udp', address: '127.0.0.1', port: 30053, target: '127.0.0.1', targetPort: 30053 },
    { protocol: 'sctp', address: '10.43.0.11', port: 7, target: '10.42.0.9', targetPort: 70 },
  ])
})
