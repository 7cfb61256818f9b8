import { expect, test } from 'vitest'
import { backingServiceTypes } from '../manifest/manifest.ts'
import type { Credentials, Reached, Wanted } from './backing-service.ts'
import { backingService } from './backing-services.ts'
import { checkVersion, reaching, type Dialect } from './server-access.ts'

const dialect: Dialect = { title: 'Test', rights: 'needs all', troubleOf: () => undefined }
const administrator: Credentials = { user: 'admin', password: "pa'ss" }
const server: Reached = { host: 'db.example.com', port: 1234, administrator }
const wanted: Wanted = { database: 'shop', credentials: { user: 'shop', password: 'sec"ret/%' }, owner: 'test/shop' }

async function failing(error: Error, told: Dialect = dialect): Promise<string> {
  try {
    await reaching(told, server, wanted, async () => {
      throw error
    })
    return ''
  } catch (failure) {
    return (failure as Error).message
  }
}

test('no password comes out, however it is quoted', async () => {
  const message = `at 'pa''ss' and pa\\'ss and pa'ss, "sec\\"ret/%", sec"ret/% and ${encodeURIComponent('sec"ret/%')}`
  expect(await failing(new Error(message))).toBe(
    `Test at db.example.com:1234: at '***' and *** and ***, "***", *** and ***`,
  )
})

test('each trouble says what to do', async () => {
  const told = async (trouble: ReturnType<Dialect['troubleOf']>): Promise<string> =>
    failing(new Error('words'), { ...dialect, troubleOf: () => trouble })
  expect(await told('unreachable')).toContain('does not answer (words); check that it runs')
  expect(await told('credentials')).toContain('refuses the administrator "admin" (words); check the user')
  expect(await told('rights')).toContain('"admin" has too few rights (words); it needs all')
  expect(await told('certificate')).toContain('does not show the certificate that was expected (words)')
  const wrapped = new Error('outside', { cause: Object.assign(new Error('inside'), { code: 'ECONNREFUSED' }) })
  expect(await failing(wrapped)).toContain('does not answer')
})

test.each([
  ['14.9', '15', false],
  ['15.18 (Debian 15.18-0+deb12u1)', '15', true],
  ['10.11.19-MariaDB-0+deb12u1', '10.5', true],
  ['10.4.1-MariaDB', '10.5', false],
  ['8.0', '8.0', true],
  ['7.9.9', '8.0', false],
])('version %s, %s or newer wanted', (found, oldest, isEnough) => {
  const check = (): void => checkVersion(dialect, server, found, oldest)
  if (isEnough) expect(check).not.toThrow()
  else expect(check).toThrow(`version ${oldest} or newer was expected, it is ${found}; update the server`)
})

test.each(backingServiceTypes)('%s says what its server and its services get', async type => {
  const service = await backingService(type)
  expect(service.type).toBe(type)
  const managed = service.managed({ administrator: { user: service.administrator, password: 'generated' } })
  expect(managed.process.security.root).toBe(false)
  expect(managed.storagePath).toMatch(/^\//)
  expect(service.port.name).toBe(type)
  if ('port' in managed.health) expect(managed.health.port).toBe(type)
  expect(JSON.stringify(managed)).not.toContain('generated')
  const own = service.managed({ image: 'own:1', administrator: { user: 'a', password: 'b' } })
  expect(own.process.image).toBe('own:1')
})

test('odd names and passwords stand in addresses as they are meant', async () => {
  const credentials = { user: "o'brien@x", password: 'a/b?c#d:e%f@g' }
  for (const type of backingServiceTypes) {
    const service = await backingService(type)
    const found = service.variables({ host: 'db', port: 1234, database: 'a/b c', credentials })
    const address = Object.values(found).find(value => /^[a-z+]+:\/\/.*@/.test(value))
    if (address === undefined) continue
    const { hostname, port, username, password } = new URL(address)
    expect([hostname, port]).toEqual(['db', '1234'])
    expect([username, password].map(decodeURIComponent)).toEqual([credentials.user, credentials.password])
  }
})
