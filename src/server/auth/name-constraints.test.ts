// Judged by OpenSSL, as clients do it.
import { X509Certificate } from 'node:crypto'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { beforeAll, expect, test } from 'vitest'
import { createAuthority, signCertificate, type KeyPairPem } from './certificate-authority.ts'
import { nameConstraints } from './name-constraints.ts'

let authority: KeyPairPem
beforeAll(async () => {
  const permitted = { names: ['localhost', 'test'], ranges: [[127, 0, 0, 0, 255, 0, 0, 0]] }
  authority = await createAuthority('limited', 2, Date.now(), permitted)
})

/** What a client that trusts the authority says about a server of this name. */
async function verdict(name: string, address?: string): Promise<string> {
  const request = { commonName: 'server', usage: 'server', days: 1, dnsNames: [name] } as const
  const { certificate, key } = await signCertificate(
    authority,
    { ...request, ...(address !== undefined && { addresses: [address] }) },
    Date.now(),
  )
  const server = createServer({ cert: certificate, key }, (socket: TLSSocket) => socket.end()).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  server.on('tlsClientError', () => {})
  const { port } = server.address() as AddressInfo
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({ port, host: '127.0.0.1', servername: name, ca: authority.certificate })
  socket.once('secureConnect', () => resolve('trusted'))
  socket.once('error', ({ message }) => resolve(message))
  const said = await promise
  socket.destroy()
  server.close()
  return said
}

test.each([
  ['localhost', undefined, 'trusted'],
  ['shop.localhost', '127.0.0.1', 'trusted'],
  ['a.b.test', undefined, 'trusted'],
  ['shop.example.com', undefined, 'permitted subtree violation'],
  ['notlocalhost', undefined, 'permitted subtree violation'],
  ['shop.localhost', '192.0.2.1', 'permitted subtree violation'],
])('a certificate for %s at %s is: %s', async (name, address, said) => {
  expect(await verdict(name, address)).toBe(said)
})

test('it is good for servers alone, and for no authority below it', () => {
  const text = new X509Certificate(authority.certificate)
  expect(text.ca).toBe(true)
  expect(text.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
})

test('many names are encoded, too', () => {
  const names = Array.from({ length: 100 }, (_each, index) => `name-${index}.test`)
  const value = Buffer.from(nameConstraints({ names, ranges: [] }))
  expect(value.readUInt16BE(2)).toBe(value.length - 4)
  for (const name of names) expect(value.includes(name)).toBe(true)
})
