// The data of a service on servers that were delivered beside it, through the command line: saved, restored, refused when the
// file is another one, and whole whenever a restore is killed.
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listProcesses } from '../../src/host/processes.ts'
import {
  ClusterFixture,
  folder,
  reasonToSkipCluster,
  repository,
  sampanProgram,
  succeeded,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { serverImage } from '../../src/testing/service-images.ts'
import { tried } from '../../src/testing/thoroughness.ts'

const reason = reasonToSkipCluster()
const waitMs = 120_000
const types = ['postgres', 'mysql', 'redis'] as const
type Type = (typeof types)[number]
const rows = 40_000

const manifest = `name: shop
image: sampan.local/busybox
command: sh -c 'exec httpd -f -p 8080 -h /tmp'
ports: { http: 8080 }
health: { tcp: true }
security: { user: 65534 }
stopSeconds: 1
${types.map(type => `${type}: { image: "${serverImage(type)}", size: 100Mi }`).join('\n')}
`

interface Server {
  /** Command in its instance that reads statements. */
  readonly client: string
  /** Everything again, with that word in each row. */
  fill(word: string): string
  /** Prints how many rows there are, and their words. */
  readonly look: string
  /** Programs that may go on when nobody waits for them. */
  readonly programs: string
}

const servers: Readonly<Record<Type, Server>> = {
  postgres: {
    client: 'psql -qAt -v ON_ERROR_STOP=1 -U shop shop',
    fill: word => `drop view if exists seen; drop table if exists marks;
      create table marks as select number, '${word}' as word, repeat(md5(number::text), 4) as more
        from generate_series(1, ${rows}) as number;
      create view seen as select count(*) as rows, min(word) as first, max(word) as last from marks;`,
    look: `select rows || ' ' || first || ' ' || last from seen;`,
    programs: 'psql pg_dump',
  },
  mysql: {
    client: 'mariadb --no-defaults -N -B -h 127.0.0.1 -uroot -p"$MYSQL_ROOT_PASSWORD" shop',
    fill: word => `drop view if exists seen; drop table if exists extra; drop table if exists marks;
      drop procedure if exists count_marks;
      create table marks (number int primary key, word text, more text);
      create table extra (number int, foreign key (number) references marks (number));
      insert into marks select seq, '${word}', repeat(md5(seq), 4) from seq_1_to_${rows};
      insert into extra values (1);
      create definer = shop@'%' trigger shout before insert on marks for each row set new.word = upper(new.word);
      create definer = shop@'%' view seen as select count(*) as n, min(word) as a, max(word) as z from marks;
      create definer = shop@'%' procedure count_marks() select concat(n, ' ', a, ' ', z) from seen;`,
    look: 'call count_marks();',
    programs: 'mariadb mysql mariadb-dump mysqldump',
  },
  redis: {
    client: 'redis-cli --no-auth-warning -a "$REDIS_PASSWORD"',
    fill: word =>
      `eval "redis.call('flushdb') for i = 1, ${rows} do redis.call('set', 'mark:' .. i, '${word}' .. string.rep('x', 100)) end" 0\n`,
    look: `eval "local first, last, keys = '~', '', redis.call('keys', '*') for _, key in ipairs(keys) do local word = string.sub(redis.call('get', key), 1, 3) if word < first then first = word end if word > last then last = word end end return #keys .. ' ' .. first .. ' ' .. last" 0\n`,
    programs: 'none',
  },
}

describe.skipIf(reason !== undefined)(
  `data of managed servers${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let cluster: ClusterFixture
    let project: string
    beforeAll(async () => {
      cluster = await ClusterFixture.up('restored')
      await cluster.pushBusybox('1.0.0')
      const program = join(repository, 'src/testing/service-images.ts')
      succeeded(
        await cluster.run(process.execPath, [program, await cluster.registry(), ...types], { timeoutMs: waitMs }),
      )
      project = folder(cluster.directory, 'shop')
      writeFileSync(join(project, 'app.yml'), manifest)
      succeeded(await sampan('deploy', '-e', 'test', 'shop:1.0.0'))
    }, 2 * waitMs)
    afterAll(() => cluster?.close(), waitMs)

    const sampan = (...args: string[]): Promise<Result> =>
      cluster.run(sampanProgram, args, { directory: project, timeoutMs: waitMs })
    const restore = (type: Type, file: string): string[] =>
      `data restore -e test shop ${type} --file ${file} --yes`.split(' ')

    const inServer = (type: Type, command: string, input = ''): Promise<Result> =>
      cluster.run('kubectl', ['exec', '-i', '-n', 'test', `shop-${type}-0`, '--', 'sh', '-c', command], {
        input,
        timeoutMs: waitMs,
      })
    const said = async (type: Type, statements: string): Promise<string> =>
      succeeded(await inServer(type, servers[type].client, statements)).out.trim()
    const fill = (type: Type, word: string): Promise<string> => said(type, servers[type].fill(word))
    const state = (type: Type): Promise<string> => said(type, servers[type].look)
    const whole = (word: string): string => `${rows} ${word} ${word}`

    async function saved(type: Type): Promise<string> {
      const file = join(project, `${type}.backup`)
      await fill(type, 'new')
      const { err } = succeeded(await sampan('data', 'backup', '-e', 'test', 'shop', type, '--file', file, '--force'))
      expect(err).toContain(`saved ${type} database shop on shop-${type} in ${file}`)
      await fill(type, 'old')
      return file
    }

    test.each(types)('%s: what was saved is there again', { timeout: 3 * waitMs }, async type => {
      const file = await saved(type)
      expect(await state(type)).toBe(whole('old'))
      const { err } = succeeded(await sampan(...restore(type, file)))
      expect(err).toContain(`restored ${type} database shop on shop-${type} from ${file}`)
      expect(await state(type)).toBe(whole('new'))
      succeeded(await sampan('deploy', '-e', 'test', 'shop:1.0.0'))
      expect(await state(type)).toBe(whole('new'))
    })

    test('what goes with the tables of MySQL is there, too', { timeout: waitMs }, async () => {
      const found = await said(
        'mysql',
        `insert into marks values (0, 'small', ''); select word from marks where number = 0; delete from marks where number = 0;
       select concat(table_schema, ' ', constraint_name) from information_schema.referential_constraints
         join information_schema.tables using (table_name) where constraint_schema = 'shop';
       show databases like 'sampan-restore-%';`,
      )
      expect(found).toBe('SMALL\nshop extra_ibfk_1')
      expect((await inServer('mysql', servers.mysql.client, 'delete from marks where number = 1')).err).toContain(
        'extra',
      )
    })

    test.each(types)('%s: a wrong file and a wrong type are refused', { timeout: 3 * waitMs }, async type => {
      await fill(type, 'old')
      const other = types[(types.indexOf(type) + 1) % types.length]!
      const wrong = await sampan(...restore(type, join(project, `${other}.backup`)))
      expect(wrong.err).toMatch(
        /expected a backup of .* as `sampan data backup` writes it, found something that begins with/,
      )
      const file = join(project, 'cut.backup')
      const content = readFileSync(join(project, `${type}.backup`))
      writeFileSync(file, content.subarray(0, content.length * 0.7))
      const cut = await sampan(...restore(type, file))
      expect(cut.err).toMatch(/has no end, so it was cut off; take another one/)
      const absent = await sampan('data', 'restore', '-e', 'test', 'shop', 'rabbitmq', '--file', file, '--yes')
      expect(absent.err).toContain('"shop" has postgres, mysql, redis, and no rabbitmq in test')
      const untold = await sampan('data', 'restore', '-e', 'test', 'shop', '--file', file, '--yes')
      expect(untold.err).toContain('"shop" has postgres, mysql, redis; say which one is meant')
      expect([wrong.code, cut.code, absent.code, untold.code]).toEqual([1, 1, 1, 1])
      expect(await state(type)).toBe(whole('old'))
    })

    async function ended(type: Type): Promise<void> {
      await eventually(
        'nothing goes on in the server',
        async () => (await inServer(type, `pidof ${servers[type].programs} || true`)).out.trim() === '',
        waitMs,
      )
    }

    /** The file comes through a pipe, so that so much of it and no more has been read when the signal comes. */
    async function interrupted(type: Type, file: string, share: number, signal: NodeJS.Signals): Promise<Result> {
      const pipe = join(project, 'pipe')
      rmSync(pipe, { force: true })
      succeeded(await cluster.run('mkfifo', [pipe]))
      const restoring = sampan(...restore(type, pipe))
      const content = readFileSync(file)
      const writer = await open(pipe, 'w')
      try {
        const part = content.subarray(0, content.length * share)
        for (let written = 0; written < part.length;)
          written += (await writer.write(part.subarray(written, written + 65_536))).bytesWritten
        if (share === 1) await writer.close()
        kill(pipe, signal)
      } finally {
        if (share < 1) await writer.close()
      }
      return restoring
    }

    /** Whoever has the file on his command line. */
    function kill(file: string, signal: NodeJS.Signals): void {
      for (const { pid, commandLine } of listProcesses()) if (commandLine.includes(file)) process.kill(pid, signal)
    }

    test.each(types)(
      '%s: a backup that is killed leaves no file, and nothing in the server',
      { timeout: waitMs },
      async type => {
        const file = join(project, `${type}.killed`)
        const saving = sampan('data', 'backup', '-e', 'test', 'shop', type, '--file', file)
        await eventually(
          'something is written',
          () => (statSync(`${file}.part`, { throwIfNoEntry: false })?.size ?? 0) > 0,
          waitMs,
        )
        kill(file, 'SIGKILL')
        await saving
        await ended(type)
        expect(existsSync(file)).toBe(false)
        succeeded(await sampan('data', 'backup', '-e', 'test', 'shop', type, '--file', file))
        expect(existsSync(`${file}.part`)).toBe(false)
      },
    )

    test.each(types)('%s: killed anywhere, it leaves the old data or the new', { timeout: 6 * waitMs }, async type => {
      const file = await saved(type)
      for (const share of tried([0, 0.2, 0.5, 0.8, 1], [0.2, 0.8])) {
        await interrupted(type, file, share, 'SIGKILL')
        await ended(type)
        const left = await state(type)
        expect([whole('old'), whole('new')], `killed behind ${share}`).toContain(left)
        if (share < 1) expect(left).toBe(whole('old'))
        if (left === whole('new')) await fill(type, 'old')
      }
      const told = await interrupted(type, file, 0.3, 'SIGINT')
      expect(told).toMatchObject({
        code: 130,
        err: expect.stringContaining('stopping; what was there stays, unless all of the file has arrived') as string,
      })
      await ended(type)
      expect(await state(type)).toBe(whole('old'))
      succeeded(await sampan(...restore(type, file)))
      expect(await state(type)).toBe(whole('new'))
    })
  },
)
