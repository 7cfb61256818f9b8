// `sampan trust` with the machine's real store of certificates and real databases of browsers, each a copy that this test
// lays over the machine's own.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClusterFixture, folder, sampanProgram, succeeded, type Result } from '../../src/testing/cluster-fixture.ts'

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
const reason =
  process.getuid?.() !== 0
    ? 'not root'
    : !['update-ca-certificates', 'certutil', 'openssl'].every(has)
      ? 'apt-get install ca-certificates libnss3-tools openssl'
      : undefined

interface Told {
  readonly authority: { readonly file: string; readonly sha256: string }
  readonly places: readonly { readonly kind: string; readonly state: string; readonly reason?: string }[]
}

describe.skipIf(reason !== undefined)(`sampan trust${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let fixture: ClusterFixture
  const home = (): string => folder(fixture.directory, 'home')
  const databases = (): string[] => ['.pki/nssdb', '.mozilla/firefox/abc.default'].map(name => join(home(), name))
  const ownFile = (): string => join(fixture.authority, 'ca.crt')
  beforeAll(async () => {
    fixture = new ClusterFixture('trust')
    cpSync('/etc/ssl/certs', join(fixture.directory, 'certs'), { recursive: true, verbatimSymlinks: true })
    for (const database of databases())
      succeeded(await fixture.run('certutil', ['-N', '--empty-password', '-d', `sql:${folder(database)}`]))
  })
  afterAll(() => fixture?.close())

  /** In a view of the machine that has the copies in place of what is copied. */
  function onMachine(args: readonly string[], hidden: readonly string[] = []): Promise<Result> {
    const over = [
      [folder(fixture.directory, 'added'), '/usr/local/share/ca-certificates'],
      [folder(fixture.directory, 'certs'), '/etc/ssl/certs'],
      ...hidden.map(program => ['/dev/null', program]),
    ]
    const script = [...over.map(([from, to]) => `mount --bind ${from} ${to}`), 'exec "$@"'].join(' && ')
    return fixture.run('unshare', ['--mount', 'sh', '-c', script, 'sh', ...args], {
      environment: { HOME: home() },
      timeoutMs: 300_000,
    })
  }
  const sampan = (...args: string[]): Promise<Result> => onMachine([sampanProgram, 'trust', ...args])
  const json = async (...args: string[]): Promise<Told> => JSON.parse((await sampan(...args, '-o', 'json')).out) as Told
  const states = ({ places }: Told): string[] => places.map(({ kind, state }) => `${kind} ${state}`)
  const isTrusted = async (): Promise<boolean> =>
    (await onMachine(['openssl', 'verify', '-CAfile', '/etc/ssl/certs/ca-certificates.crt', ownFile()])).code === 0
  const inBrowser = async (database: string): Promise<string> =>
    (await fixture.run('certutil', ['-L', '-d', `sql:${database}`])).out

  test('prints the certificate of the authority alone', async () => {
    const { out, err } = succeeded(await sampan('--print'))
    expect([out, err]).toEqual([readFileSync(ownFile(), 'utf8'), ''])
    expect(await isTrusted()).toBe(false)
  })

  test('makes programs and browsers trust it, and says how the others do', async () => {
    const { err } = succeeded(await sampan())
    expect(err).toContain(
      'trusted from now on by programs of this machine (/usr/local/share/ca-certificates/sampan.crt)',
    )
    for (const database of databases()) {
      expect(err).toContain(`trusted from now on by a browser (${database})`)
      expect(await inBrowser(database)).toMatch(/^Sampan, for local names of this machine +C,,/m)
    }
    expect(err).toContain('export NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/sampan.crt')
    expect(await isTrusted()).toBe(true)
    const again = await json()
    expect(states(again)).toEqual(['system present', 'browser present', 'browser present'])
    expect(again.authority).toMatchObject({
      file: ownFile(),
      sha256: expect.stringMatching(/^[\dA-F:]{95}$/) as string,
    })
  })

  test('an authority that was replaced takes the place of the one before', async () => {
    succeeded(await fixture.run('rm', ['-r', fixture.authority]))
    expect(states(await json())).toEqual(['system added', 'browser added', 'browser added'])
    expect(await isTrusted()).toBe(true)
    for (const database of databases()) expect((await inBrowser(database)).match(/^Sampan/gm)).toHaveLength(1)
  })

  test('says what to install for browsers, and does the rest', async () => {
    const [, certutil = ''] = /(\S+)/.exec((await fixture.run('which', ['certutil'])).out) ?? []
    const { code, err } = await onMachine([sampanProgram, 'trust'], [certutil])
    expect(code).toBe(1)
    expect(err).toContain('certutil was not found; install it with: apt-get install libnss3-tools, then run this again')
    expect(err).toContain('trusted already by programs of this machine')
  })

  test('takes it back', async () => {
    expect(states(await json('--remove'))).toEqual(['system removed', 'browser removed', 'browser removed'])
    expect(await isTrusted()).toBe(false)
    for (const database of databases()) expect(await inBrowser(database)).not.toContain('Sampan')
    const { err } = succeeded(await sampan('--remove'))
    expect(err).toContain('was not trusted by programs of this machine')
    expect(existsSync(ownFile())).toBe(true)
  })

  test('needs root, and says so', async () => {
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', sampanProgram, 'trust', '--remove']
    const { code, err } = await onMachine(asNobody)
    expect(code).toBe(1)
    expect(err).toContain('run as root: sudo sampan trust --remove')
  })
})
