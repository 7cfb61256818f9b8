import { expect, test } from 'vitest'
import type { Balancing } from '../model/balancing.ts'
import { balancingLines, type BalancingLines } from './balancing-lines.ts'

const http = { protocol: 'http' } as const
const linesOf = (more: Partial<Balancing>, backend: Parameters<typeof balancingLines>[1] = http): BalancingLines =>
  balancingLines({ source: 'BalancingPolicy shop/web', choice: 'roundRobin', ...more }, backend)

test('taking turns needs no words, so that a new service needs no load', () => {
  const none = { settings: [], last: [], serverOptions: '' }
  expect(linesOf({})).toEqual(none)
  expect(balancingLines(undefined, http)).toEqual(none)
})

test('a name of somebody’s choice is one argument', () => {
  const [balance] = linesOf({ choice: { by: 'header', name: "x'$y" } }).settings
  expect(balance).toBe(String.raw`balance hash 'req.fhdr("x'\''$y")'`)
})

test('the cookie is shown to no script and to no other site, and sent by TLS alone where it came by TLS', () => {
  const { settings } = linesOf({ affinity: { cookie: 'at', key: 'secret', maxAgeSeconds: 60 } })
  expect(settings).toEqual([
    `cookie at insert indirect nocache httponly dynamic attr 'SameSite=Lax' attr 'Max-Age=60'`,
    'dynamic-cookie-key secret',
    String.raw`http-after-response replace-header Set-Cookie '^(at=.*)$' '\1; Secure' if { ssl_fc }`,
    'option redispatch 1',
  ])
})

test('an instance that is looked at by TLS is asked for by its name', () => {
  const ejection = { errors: 3, periodMs: 30_000 }
  expect(linesOf({ ejection }, { protocol: 'http', tls: { name: 'web.shop' } }).serverOptions).toBe(
    ' check check-sni web.shop observe layer7 error-limit 3 on-error mark-down inter 5000ms fastinter 30000ms rise 2 fall 3',
  )
})

test('of connections nothing is known but the address', () => {
  const carried = linesOf(
    {
      choice: { by: 'cookie', name: 'tenant' },
      affinity: { cookie: 'at', key: 'secret' },
      ejection: { errors: 1, periodMs: 1000 },
      concurrency: { perInstance: 2, mostWaiting: 3, waitMs: 10 },
    },
    { protocol: 'tcp' },
  )
  expect(carried).toEqual({
    settings: ['option redispatch 1'],
    last: ['tcp-request content reject if { queue ge 3 }'],
    serverOptions:
      ' check observe layer4 error-limit 1 on-error mark-down inter 1000ms fastinter 1000ms rise 2 fall 3 maxconn 2',
  })
  expect(linesOf({ choice: { by: 'address' } }, { protocol: 'tcp' }).settings[0]).toBe('balance hash src')
})
