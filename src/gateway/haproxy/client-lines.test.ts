// What HAProxy is told of certificates of clients: what a client says of itself never gets to a service, sessions of other
// ports are never taken up again, and a process that asks for other certificates is handed nothing.
import { expect, test } from 'vitest'
import type { ClientCheck, Entrance } from '../model/model.ts'
import { layoutOf } from './layout.ts'

const places = {
  directory: '/d',
  socket: '/s',
  mirrorSocket: '/m',
  loginSocket: '/l',
  logSocket: '/run/log.sock',
  successorDirectory: '/n',
}
const check = (authorities: string, isOptional = false): ClientCheck => ({ authorities, isOptional })

function skeleton(clients: ClientCheck | undefined, names: readonly string[] = ['a.example.com']): string {
  const entrance: Entrance = {
    address: '127.0.0.1',
    port: 443,
    tls: { certificates: [{ to: { kind: 'any' }, id: 'c' }], ...(clients && { clients }) },
    hosts: names.map(name => ({ name: { kind: 'exact', name }, listener: name, rules: [] })),
  }
  const model = {
    entrances: [entrance],
    backends: new Map(),
    credentials: new Map(),
    certificates: new Map([['c', { id: 'c', pem: 'P' }]]),
  }
  return layoutOf(model, places).skeleton
}

const socketOf = (text: string): string | undefined => /bind 'unix@([^']*)'/.exec(text)?.[1]

test('one that is asked for is verified, and one that may be missing lets everybody in', () => {
  expect(skeleton(check('A'))).toMatch(/^bind 127\.0\.0\.1:443 .* ca-file \S+ verify required$/m)
  expect(skeleton(check('A', true))).toMatch(/verify optional crt-ignore-err all ca-ignore-err all$/m)
  expect(skeleton(undefined)).not.toContain('verify')
})

test('no session is taken up again where anybody is asked', () => {
  expect(skeleton(check('A'))).toContain('tune.ssl.cachesize 0')
  expect(skeleton(undefined)).not.toContain('cachesize')
})

test('requests are handed over to a process that asks for the same alone', () => {
  const [none, one, other, optional] = [undefined, check('A'), check('B'), check('A', true)].map(clients =>
    socketOf(skeleton(clients)),
  )
  expect(new Set([none, one, other, optional]).size).toBe(4)
  expect(socketOf(skeleton(check('A')))).toBe(one)
})

test.each(['X-Forwarded-Client-Verify', 'X-Forwarded-Client-Cert', 'Client-Cert', 'Client-Cert-Chain'])(
  'a client says nothing in %s',
  name => {
    expect(skeleton(undefined)).toContain(`http-request del-header ${name}\n`)
    expect(skeleton(check('A'))).toContain(`http-request del-header ${name} unless { so_name handed-over }\n`)
  },
)

test('names are looked at where there are several listeners at one port', () => {
  expect(skeleton(undefined, ['a.example.com'])).not.toContain('status 421')
  expect(skeleton(undefined, ['a.example.com', 'b.example.com'])).toContain('status 421')
})
