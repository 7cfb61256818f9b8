// What every backing service owes, against a server that runs. A server's test says what only it knows: how somebody
// else makes a user or a database there, how a service works with what it was given, and what there is in all.
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startCuttingProxy } from '../../testing/cutting-proxy.ts'
import { isThorough } from '../../testing/thoroughness.ts'
import { ServiceFailure, type BackingService, type Credentials, type Reached, type Wanted } from './backing-service.ts'

export interface TestedServer {
  readonly reached: Reached
  /** Everything that `ensure` could have made, and what stands beside it, in any words. */
  inventory(): Promise<readonly string[]>
  /** By hand, without Sampan; undefined where a server makes no users. */
  readonly makeUser?: (credentials: Credentials) => Promise<void>
  makeDatabase(name: string): Promise<void>
  /** As the service. */
  write(wanted: Wanted, key: string, value: string): Promise<void>
  /** @returns undefined when there is none */
  read(wanted: Wanted, key: string): Promise<string | undefined>
  close(): Promise<void>
}

export interface ContractOptions {
  /** Why a database of somebody else's is of no use to a user that Sampan makes. */
  readonly foreignDatabaseNeedsGrant?: boolean
  /** Nothing but its user says whose it is, so what somebody else's user has written stays. */
  readonly writingMakesDatabase?: boolean
  /** Its server has nothing that would change all of the data at once. */
  readonly restoresInPieces?: boolean
  /** Odd ones that such a server takes. */
  readonly oddNames: readonly Pick<Wanted, 'database' | 'credentials'>[]
}

const waitMs = 120_000

export function testBackingService(
  service: BackingService,
  open: () => Promise<TestedServer>,
  {
    foreignDatabaseNeedsGrant = false,
    writingMakesDatabase = false,
    restoresInPieces = false,
    oddNames,
  }: ContractOptions,
): void {
  describe(`backing service ${service.type}`, { timeout: waitMs }, () => {
    let tested: TestedServer
    let number = 0
    const hasUsers = service.credentials === 'own'
    const withUsers = hasUsers ? [service.title] : []

    beforeAll(async () => {
      tested = await open()
    }, waitMs)
    afterAll(() => tested.close())

    /** Of names that no other test has; dropped in the end. */
    function wish(owner = 'test/shop', names: Partial<Wanted> = {}): Wanted {
      const name = `shop-${number++}`
      const wanted = {
        database: name,
        credentials: hasUsers ? { user: name, password: `pass'"\\%word ${name}` } : tested.reached.administrator,
        owner,
        ...names,
      }
      onTestFinished(async () => void (await service.drop(tested.reached, wanted)))
      return wanted
    }

    const ensure = (wanted: Wanted, tell?: (text: string) => void): Promise<readonly string[]> =>
      service.ensure(tested.reached, wanted, tell)
    const drop = (wanted: Wanted): Promise<readonly string[]> => service.drop(tested.reached, wanted)

    async function failureOf(work: Promise<unknown>, ...secrets: string[]): Promise<string> {
      const error = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(error).toBeInstanceOf(ServiceFailure)
      const { message } = error as Error
      for (const secret of [...secrets, tested.reached.administrator.password]) expect(message).not.toContain(secret)
      return message
    }

    async function works(wanted: Wanted): Promise<void> {
      await tested.write(wanted, 'greeting', 'hello')
      expect(await tested.read(wanted, 'greeting')).toBe('hello')
    }

    test('makes what is missing, once, and takes it away', async () => {
      const before = await tested.inventory()
      const wanted = wish()
      expect(await service.exists(tested.reached, wanted)).toBe(false)
      expect((await ensure(wanted)).length).toBeGreaterThan(0)
      expect(await service.exists(tested.reached, wanted)).toBe(true)
      await works(wanted)
      expect(await ensure(wanted)).toEqual([])
      expect(await tested.read(wanted, 'greeting')).toBe('hello')
      expect((await drop(wanted)).length).toBeGreaterThan(0)
      expect(await tested.inventory()).toEqual(before)
      expect(await drop(wanted)).toEqual([])
    })

    test.each(oddNames)('names such as $database and $credentials.user', async names => {
      const before = await tested.inventory()
      const wanted = wish('test/odd', hasUsers ? names : { database: names.database })
      await ensure(wanted)
      await works(wanted)
      expect(await ensure(wanted)).toEqual([])
      await drop(wanted)
      expect(await tested.inventory()).toEqual(before)
    })

    test('two at once', async () => {
      const wanted = wish()
      const made = await Promise.all([ensure(wanted), ensure(wanted), ensure(wish()), ensure(wish('test/other'))])
      expect(made.flat().length).toBeGreaterThan(0)
      await works(wanted)
      expect(await ensure(wanted)).toEqual([])
    })

    test('what another one owns is not dropped', async () => {
      const wanted = wish()
      await ensure(wanted)
      await works(wanted)
      expect(await drop({ ...wanted, owner: 'test/another' })).toEqual([])
      await works(wanted)
    })

    describe.each([false, true])('killed at any command (that still reached the server: %s)', reaches => {
      test('it is finished', () =>
        atEachPiece(reaches, async (wanted, cutOff) => {
          const isWhole = await cutOff(server => service.ensure(server, wanted))
          await ensure(wanted)
          await works(wanted)
          expect(await ensure(wanted)).toEqual([])
          return isWhole
        }))

      test('it can be dropped', () =>
        atEachPiece(reaches, (wanted, cutOff) => cutOff(server => service.ensure(server, wanted))))

      test('a drop ends the next time', () =>
        atEachPiece(reaches, async (wanted, cutOff) => {
          await ensure(wanted)
          await works(wanted)
          return cutOff(server => service.drop(server, wanted))
        }))
    })

    type CutOff = (work: (server: Reached) => Promise<unknown>) => Promise<boolean>

    /**
     * Cuts work off after its first piece, its second and so on to its end, or after some of them; nothing is left when it has
     * been dropped.
     */
    async function atEachPiece(
      reaches: boolean,
      work: (wanted: Wanted, cutOff: CutOff) => Promise<boolean>,
    ): Promise<void> {
      const before = await tested.inventory()
      let pieces = 0
      for (let isWhole = false; !isWhole; pieces += isThorough || pieces === 0 ? 1 : 3) {
        const wanted = wish()
        isWhole = await work(wanted, interrupted => cutOff(pieces, reaches, interrupted))
        await drop(wanted)
        expect(await tested.inventory(), `after ${pieces} pieces`).toEqual(before)
      }
      expect(pieces).toBeGreaterThan(3)
    }

    /** @returns whether it came to its end */
    async function cutOff(
      pieces: number,
      reaches: boolean,
      work: (server: Reached) => Promise<unknown>,
    ): Promise<boolean> {
      const proxy = await startCuttingProxy(tested.reached, pieces, reaches)
      try {
        await work({ ...tested.reached, host: proxy.host, port: proxy.port })
        return proxy.pieces <= pieces
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceFailure)
        return false
      } finally {
        proxy.close()
      }
    }

    test('a wrong administrator is told', async () => {
      const wanted = wish()
      const administrator = { ...tested.reached.administrator, password: 'wrong-secret' }
      const message = await failureOf(service.ensure({ ...tested.reached, administrator }, wanted), 'wrong-secret')
      expect(message).toContain(`refuses the administrator "${administrator.user}"`)
      expect(message).toContain('check the user and the password')
    })

    test('a server that does not answer is told, after the time it has to start', async () => {
      const closed = await startCuttingProxy(tested.reached, 0, false)
      closed.close()
      const server = { ...tested.reached, host: closed.host, port: closed.port }
      const message = await failureOf(service.ensure(server, wish()))
      expect(message).toContain(`${service.title} at 127.0.0.1:${closed.port}: does not answer`)
      const startMs = performance.now()
      await failureOf(service.ensure({ ...server, waitSeconds: 1 }, wish()))
      expect(performance.now() - startMs).toBeGreaterThan(900)
    })

    test.each(withUsers)('a password of %s that has changed is set, there and back', async () => {
      const first = wish()
      await ensure(first)
      const second = { ...first, credentials: { ...first.credentials, password: 'another' } }
      expect(await ensure(second)).toEqual([`password of user ${first.credentials.user}`])
      await works(second)
      expect(await ensure(first)).toHaveLength(1)
      await works(first)
      await expect(tested.write(second, 'greeting', 'x')).rejects.toBeInstanceOf(Error)
    })

    test.each(withUsers)("somebody else's user of %s is used as it is when its password fits, else told", async () => {
      const wanted = wish()
      await tested.makeUser!(wanted.credentials)
      const before = await tested.inventory()
      const other = { ...wanted, credentials: { ...wanted.credentials, password: 'not this' } }
      const message = await failureOf(ensure(other), 'not this')
      expect(message).toContain(`user "${wanted.credentials.user}" exists`)
      expect(await tested.inventory()).toEqual(before)
      const told: string[] = []
      await ensure(wanted, text => told.push(text))
      expect(told).toContain(`user ${wanted.credentials.user} exists and was not made by Sampan; it is used as it is`)
      await works(wanted)
      await drop(wanted)
      const left = await tested.inventory()
      expect(writingMakesDatabase ? left.filter(line => before.includes(line)) : left).toEqual(before)
    })

    test("somebody else's database is neither changed nor dropped", async () => {
      const wanted = wish()
      await tested.makeDatabase(wanted.database)
      const before = await tested.inventory()
      if (foreignDatabaseNeedsGrant)
        expect(await failureOf(ensure(wanted))).toContain(`${JSON.stringify(wanted.database)} exists`)
      else {
        const told: string[] = []
        await ensure(wanted, text => told.push(text))
        expect(told.join('\n')).toContain(`${wanted.database} exists and was not made by Sampan; it is used as it is`)
      }
      await drop(wanted)
      expect(await tested.inventory()).toEqual(before)
    })

    test('a backup brings everything back', async () => {
      const wanted = wish()
      await ensure(wanted)
      const long = 'größer \\ \'"\n'.repeat(20_000)
      await tested.write(wanted, 'kept', long)
      await tested.write(wanted, 'changed', 'before')
      const saved = await backup(wanted)
      await tested.write(wanted, 'changed', 'after')
      await tested.write(wanted, 'added', 'new')
      await service.restore(tested.reached, wanted, Readable.from([saved]))
      const read = (key: string): Promise<string | undefined> => tested.read(wanted, key)
      expect([await read('kept'), await read('changed'), await read('added')]).toEqual([long, 'before', undefined])
      // Into another one that is empty, and once more out of that.
      const copy = wish()
      await ensure(copy)
      await service.restore(tested.reached, copy, Readable.from([saved]))
      await service.restore(tested.reached, copy, Readable.from([await backup(copy)]))
      expect(await tested.read(copy, 'kept')).toBe(long)
      expect(await ensure(wanted)).toEqual([])
    })

    test.each([
      ['nothing', () => ''],
      ['something else', () => 'CREATE TABLE other (key text);\n{"a":1}\n'],
      ['what was cut off', (saved: Buffer) => saved.subarray(0, saved.length / 2)],
    ])('%s is no backup, and takes nothing away', async (_what, made) => {
      const wanted = wish()
      await ensure(wanted)
      await tested.write(wanted, 'kept', 'before'.repeat(1000))
      const content = Buffer.from(made(await backup(wanted)))
      await tested.write(wanted, 'added', 'new')
      const message = await failureOf(service.restore(tested.reached, wanted, Readable.from([content])))
      expect(message).toMatch(/expected a backup of|was cut off/)
      expect(await tested.read(wanted, 'added')).toBe('new')
      expect(await tested.read(wanted, 'kept')).toBe('before'.repeat(1000))
      // Nothing of it stands in the way, or is taken for data.
      const saved = await backup(wanted)
      await service.restore(tested.reached, wanted, Readable.from([saved]))
      expect(String(await backup(wanted)).length).toBeLessThan(saved.length + 1000)
    })

    const atOnce = restoresInPieces ? [] : [false, true]
    test.each(atOnce)('a restore that is cut off leaves the old data or the new (reached: %s)', async reaches => {
      const wanted = wish()
      await ensure(wanted)
      await tested.write(wanted, 'kept', 'new')
      const saved = await backup(wanted)
      const ends = new Set<string | undefined>()
      let pieces = 0
      for (let isWhole = false; !isWhole; pieces++) {
        await tested.write(wanted, 'kept', 'old')
        await tested.write(wanted, 'added', 'old')
        isWhole = await cutOff(pieces, reaches, server => service.restore(server, wanted, Readable.from([saved])))
        const found = `${await tested.read(wanted, 'kept')} ${await tested.read(wanted, 'added')}`
        expect(['old old', 'new undefined'], `after ${pieces} pieces`).toContain(found)
        ends.add(found)
      }
      expect([...ends]).toEqual(['old old', 'new undefined'])
    })

    async function backup(wanted: Wanted): Promise<Buffer> {
      const stream = new PassThrough()
      const [content] = await Promise.all([buffer(stream), service.backup(tested.reached, wanted, stream)])
      return content
    }
  })
}
