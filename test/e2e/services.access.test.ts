// How servers are reached: over TLS, by an administrator with too few rights, and what answers nothing.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { backingServiceTypes } from '../../src/delivery/manifest/manifest.ts'
import type { Credentials, Reached, Wanted } from '../../src/delivery/services/backing-service.ts'
import { backingService } from '../../src/delivery/services/backing-services.ts'
import { withSession as mysqlSession } from '../../src/delivery/services/mysql/session.ts'
import { withSession as postgresSession } from '../../src/delivery/services/postgres/session.ts'
import { managementOf } from '../../src/delivery/services/rabbitmq/management.ts'
import { withSession as redisSession } from '../../src/delivery/services/redis/session.ts'
import { createAuthority, signCertificate } from '../../src/server/auth/certificate-authority.ts'
import {
  startMariadb,
  startNats,
  startPostgres,
  startRabbitmq,
  startRedis,
  type ServerOptions,
  type ServiceServer,
} from '../../src/testing/service-servers.ts'

const starts = {
  postgres: startPostgres,
  mysql: startMariadb,
  redis: startRedis,
  rabbitmq: startRabbitmq,
  nats: startNats,
} as const
type Started = keyof typeof starts
const started = Object.keys(starts) as Started[]

const wishFor = (server: Reached, owns: boolean): Wanted => ({
  database: 'shop',
  credentials: owns ? { user: 'shop', password: 'secret' } : server.administrator,
  owner: 'test/shop',
})

const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no failure',
    (error: Error) => error.message,
  )

describe('over TLS', () => {
  let tls: NonNullable<ServerOptions['tls']>
  let otherAuthority = ''

  beforeAll(async () => {
    const authority = await createAuthority('services-ca', 2, Date.now())
    const names = { commonName: 'db', usage: 'server', days: 1, dnsNames: ['db.example.com'] } as const
    tls = { ...(await signCertificate(authority, names, Date.now())), authority: authority.certificate }
    otherAuthority = (await createAuthority('another', 2, Date.now())).certificate
  })

  test.each(started)('%s is who its certificate says, or is not spoken to', { timeout: 120_000 }, async type => {
    const service = await backingService(type)
    const server = await starts[type]({ tls })
    onTestFinished(() => server.close())
    const wanted = wishFor(server, service.credentials === 'own')
    const reached = { ...server, certificateName: 'db.example.com' }
    const ensure = (over: Partial<Reached>): Promise<unknown> => service.ensure({ ...reached, ...over }, wanted)

    await ensure({})
    expect(await ensure({})).toEqual([])
    const unexpected = 'does not show the certificate that was expected'
    expect(await failureOf(ensure({ authority: otherAuthority }))).toContain(unexpected)
    expect(await failureOf(ensure({ certificateName: 'another.example.com' }))).toContain(unexpected)
    expect(await failureOf(ensure({ certificateName: undefined }))).toContain(unexpected)

    if (type !== 'nats') {
      const copy = new PassThrough()
      const [saved] = await Promise.all([buffer(copy), service.backup(reached, wanted, copy)])
      await service.restore(reached, wanted, Readable.from([saved]))
      expect(saved.length > 0 || type === 'redis').toBe(true)
    }
  })

  test.each(started)('%s that speaks no TLS is told', { timeout: 120_000 }, async type => {
    const service = await backingService(type)
    const server = await starts[type]()
    onTestFinished(() => server.close())
    const wanted = wishFor(server, service.credentials === 'own')
    const failure = await failureOf(service.ensure({ ...server, authority: tls.authority }, wanted))
    expect(failure).toMatch(/does not show the certificate that was expected|does not answer/)
  })
})

describe('an administrator with too few rights', () => {
  const weak: Credentials = { user: 'weak', password: 'weak-secret' }
  const make: Readonly<Record<Exclude<Started, 'nats'>, (server: ServiceServer) => Promise<unknown>>> = {
    postgres: server =>
      postgresSession(server, server.administrator, 'postgres', session =>
        session.query(`CREATE ROLE weak LOGIN PASSWORD 'weak-secret'`),
      ),
    mysql: server =>
      mysqlSession(server, server.administrator, undefined, session =>
        session.query(`CREATE USER weak IDENTIFIED BY 'weak-secret'`),
      ),
    redis: server =>
      redisSession(server, server.administrator, session =>
        session.sendCommand(['ACL', 'SETUSER', 'weak', 'on', '>weak-secret', '~*', '+@all', '-@admin']),
      ),
    rabbitmq: server => managementOf(server).put({ password: weak.password, tags: 'monitoring' }, 'users', 'weak'),
  }

  test.each(Object.keys(make) as (keyof typeof make)[])(
    'of %s is told what it needs',
    { timeout: 120_000 },
    async type => {
      const service = await backingService(type)
      const server = await starts[type]()
      onTestFinished(() => server.close())
      await make[type](server)
      const failure = await failureOf(service.ensure({ ...server, administrator: weak }, wishFor(server, true)))
      expect(failure).toMatch(/the administrator "weak" has too few rights \(.*\); it needs /)
      expect(failure).not.toContain('weak-secret')
    },
  )

  test('of PostgreSQL may do with CREATEROLE and CREATEDB', { timeout: 120_000 }, async () => {
    const service = await backingService('postgres')
    const server = await startPostgres()
    onTestFinished(() => server.close())
    const administrator = { user: 'Some Admin', password: 'x' }
    await postgresSession(server, server.administrator, 'postgres', session =>
      session.query(`CREATE ROLE "Some Admin" LOGIN CREATEROLE CREATEDB PASSWORD 'x'`),
    )
    const reached = { ...server, administrator }
    const wanted = wishFor(server, true)
    expect(await service.ensure(reached, wanted)).toEqual(['user shop', 'database shop'])
    expect(await service.ensure(reached, wanted)).toEqual([])
    const changed = { ...wanted, credentials: { user: 'shop', password: 'other' } }
    expect(await service.ensure(reached, changed)).toEqual(['password of user shop'])
    expect(await service.drop(reached, wanted)).toEqual(['database shop', 'user shop'])
  })
})

test('a server that accepts and says nothing is given up in time', { timeout: 60_000 }, async () => {
  const silent = createServer(socket => void socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const administrator: Credentials = { user: 'admin', password: 'x' }
  const wanted: Wanted = { database: 'shop', credentials: administrator, owner: 'test/shop' }
  const { port } = silent.address() as AddressInfo
  const failures = await Promise.all(
    backingServiceTypes.map(async type => {
      const service = await backingService(type)
      return service.ensure({ host: '127.0.0.1', port, administrator }, wanted).then(
        () => 'no failure',
        (error: Error) => error.message,
      )
    }),
  )
  for (const failure of failures) expect(failure).toContain(`at 127.0.0.1:${port}: does not answer`)
  silent.close()
})
