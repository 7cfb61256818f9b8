import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../testing/fake-clock.ts'
import { localAuthority } from './local-authority.ts'
import { ownCertificates, type OwnCertificates } from './own-certificates.ts'

const dayMs = 86_400_000
let place: string
let clock: FakeClock
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'sampan-own-'))
  clock = new FakeClock()
})
afterEach(() => rmSync(place, { recursive: true }))

const opened = (cluster = 'one'): OwnCertificates =>
  ownCertificates({ directory: join(place, cluster), authorityDirectory: join(place, 'authority'), clock })
const authority = async (): Promise<X509Certificate> =>
  new X509Certificate((await localAuthority(join(place, 'authority'), clock.now())).pair.certificate)

test('names that are local have one, of the authority that all clusters share', async () => {
  const [one, other] = await Promise.all(
    ['one', 'other'].map(cluster =>
      opened(cluster)(['shop.localhost', '*.shop.test', 'localhost', 'shop.example.com']),
    ),
  )
  expect([...one!.keys()]).toEqual(['shop.localhost', '*.shop.test', 'localhost'])
  const { publicKey } = await authority()
  for (const pem of [...one!.values(), ...other!.values()])
    expect(new X509Certificate(pem).verify(publicKey)).toBe(true)
  expect(new X509Certificate(one!.get('*.shop.test')!).checkHost('a.shop.test')).toBe('*.shop.test')
  expect(new X509Certificate(one!.get('localhost')!).checkIP('127.0.0.1')).toBe('127.0.0.1')
})

test('they are kept over a start, in files that nobody else can read', async () => {
  const before = await opened()(['shop.localhost', '*.localhost'])
  expect(await opened()(['shop.localhost', '*.localhost'])).toEqual(before)
  for (const file of readdirSync(join(place, 'one')))
    expect(statSync(join(place, 'one', file)).mode & 0o777).toBe(0o600)
  expect(statSync(join(place, 'one')).mode & 0o777).toBe(0o700)
  expect(statSync(join(place, 'authority', 'ca.key')).mode & 0o777).toBe(0o600)
})

test('they are made anew when a third of their time is left', async () => {
  const own = opened()
  const before = await own(['shop.localhost'])
  await clock.advance(59 * dayMs)
  expect(await own(['shop.localhost'])).toEqual(before)
  await clock.advance(2 * dayMs)
  const after = await own(['shop.localhost'])
  expect(after).not.toEqual(before)
  expect(Date.parse(new X509Certificate(after.get('shop.localhost')!).validTo)).toBeGreaterThan(
    clock.now() + 89 * dayMs,
  )
})

test('what has expired goes, and so does what is no certificate', async () => {
  await opened()(['old.localhost'])
  writeFileSync(join(place, 'one', 'broken.localhost.pem'), 'nothing')
  await clock.advance(91 * dayMs)
  await opened()(['new.localhost', 'broken.localhost'])
  expect(readdirSync(join(place, 'one')).toSorted()).toEqual(['broken.localhost.pem', 'new.localhost.pem'])
})

test('an authority that was replaced vouches for all of them anew', async () => {
  const before = await opened()(['shop.localhost'])
  rmSync(join(place, 'authority'), { recursive: true })
  const after = await opened()(['shop.localhost'])
  expect(after).not.toEqual(before)
  expect(new X509Certificate(after.get('shop.localhost')!).verify((await authority()).publicKey)).toBe(true)
})

test('an authority whose time is nearly over is replaced by another one', async () => {
  const before = await authority()
  await clock.advance(3400 * dayMs)
  expect((await authority()).fingerprint256).toBe(before.fingerprint256)
  await clock.advance(100 * dayMs)
  expect((await authority()).fingerprint256).not.toBe(before.fingerprint256)
})
