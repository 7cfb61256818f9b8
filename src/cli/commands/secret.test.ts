// The commands as processes: what they print, what they leave, and what others can see of them meanwhile.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../testing/eventually.ts'

const program = join(import.meta.dirname, '../../main/cli.ts')
let root: string
let home: string
let memory: string

interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface RunOptions {
  readonly input?: string
  readonly environment?: Record<string, string>
  readonly home?: string
}

/** Of the tests' own environment. */
const inherited = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
})

function start(words: readonly string[], options: RunOptions = {}): ChildProcess {
  const child = spawn(process.execPath, [program, 'secret', ...words], {
    cwd: root,
    env: { ...inherited(), HOME: options.home ?? home, XDG_RUNTIME_DIR: memory, ...options.environment },
  })
  child.stdin!.on('error', () => {})
  child.stdin!.end(options.input ?? '')
  return child
}

async function resultOf(child: ChildProcess): Promise<Result> {
  let [out, err] = ['', '']
  child.stdout!.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr!.on('data', (data: Buffer) => (err += data.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out, err }
}

const run = (words: string, options?: RunOptions): Promise<Result> => resultOf(start(words.split(' '), options))

/** @throws with what the command says */
async function done(words: string, options?: RunOptions): Promise<string> {
  const { code, out, err } = await run(words, options)
  if (code !== 0) throw new Error(err)
  return out
}

const file = (environment = 'test'): string => join(root, 'secrets', `${environment}.yml`)
const textOf = (environment?: string): string => readFileSync(file(environment), 'utf8')
const recipientOf = async (name: string): Promise<string> => {
  const out = await done(`keygen --name ${name} -o json`, { home: join(home, name) })
  return (JSON.parse(out) as { recipient: string }).recipient
}

function writeTeam(people: Record<string, string>, readers: readonly string[]): void {
  writeFileSync(
    join(root, 'sampan.yml'),
    JSON.stringify({
      people,
      environments: { test: { readers }, test7: { extends: 'test' } },
      services: { hcn: { path: 'hcn' }, geo: { path: 'geo' } },
    }),
  )
}

let annas: string
let anna: string
let asAnna: RunOptions

beforeAll(async () => {
  annas = mkdtempSync(join(tmpdir(), 'sampan-secret-anna-'))
  home = root = annas
  memory = annas
  anna = await recipientOf('anna')
})
afterAll(() => rmSync(annas, { recursive: true }))

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-secret-'))
  home = join(root, 'home')
  memory = join(root, 'memory')
  for (const folder of [memory, join(root, 'hcn'), join(root, 'geo')]) mkdirSync(folder)
  writeFileSync(join(root, 'hcn', 'app.yml'), 'name: hcn\nsecrets: [TOKEN, MAIL]\n')
  writeFileSync(join(root, 'geo', 'app.yml'), 'name: geo\nenvironments: { test7: { secrets: [MAIL] } }\n')
  cpSync(join(annas, 'anna'), join(home, 'anna'), { recursive: true })
  asAnna = { home: join(home, 'anna') }
  writeTeam({ anna }, ['anna'])
})
afterEach(() => rmSync(root, { recursive: true }))

describe('a value', () => {
  test('is set from standard input, read again, and rolls who uses it', async () => {
    const { err } = await run('set -e test hcn TOKEN', { ...asAnna, input: 'geheim\nis it\n' })
    expect(err).toBe(
      '✓ TOKEN of hcn is set in secrets/test.yml, for anna\nthe next deploy rolls hcn in test; hcn in test7\n',
    )
    expect(textOf()).not.toContain('geheim')
    expect(await done('get -e test hcn TOKEN', asAnna)).toBe('geheim\nis it')
    expect(JSON.parse(await done('get -e test7 hcn TOKEN -o json', asAnna))).toEqual({
      environment: 'test',
      service: 'hcn',
      name: 'TOKEN',
      value: 'geheim\nis it',
    })
    await done('set -e test MAIL --generate')
    await done('set -e test7 hcn MAIL', { input: 'other' })
    const rolls = (JSON.parse(await done('set -e test MAIL -o json', { input: 'new' })) as { rolls: unknown }).rolls
    expect(rolls).toEqual([
      { environment: 'test', services: ['hcn'] },
      { environment: 'test7', services: ['geo'] },
    ])
    expect(await done('list -e test7')).toBe(
      'MAIL of hcn\nTOKEN of hcn (from test)\nMAIL for all services (from test)\n',
    )
    expect((await run('remove -e test7 hcn TOKEN')).err).toContain('it is TOKEN of hcn in secrets/test.yml')
    await done('remove -e test hcn TOKEN')
    expect((await run('get -e test hcn TOKEN', asAnna)).err).toBe(
      'error: there is no TOKEN of hcn in secrets/test.yml; set it with "sampan secret set -e test hcn TOKEN"\n',
    )
  })

  test('that was generated is replaced by the next one, another one by what is asked for', async () => {
    await done('set -e test MAIL --generate')
    const first = await done('get -e test MAIL', asAnna)
    expect(first).toMatch(/^[A-Za-z0-9]{40}$/)
    await done('rotate -e test MAIL', asAnna)
    const second = await done('get -e test MAIL', asAnna)
    expect(second).toMatch(/^[A-Za-z0-9]{40}$/)
    expect(second).not.toBe(first)
    await done('set -e test MAIL', { input: 'by hand' })
    expect((await run('rotate -e test MAIL', asAnna)).err).toContain('on standard input, found nothing')
    expect((await run('rotate -e test MAIL', { ...asAnna, input: 'by hand' })).err).toContain('has this value already')
    await done('rotate -e test MAIL', { ...asAnna, input: 'next' })
    expect(await done('get -e test MAIL', asAnna)).toBe('next')
  })

  test.each([
    ['set -e tset MAIL', 'error: there is no environment "tset"; did you mean "test"?'],
    ['set -e test hnc MAIL', 'error: there is no service "hnc"; did you mean "hcn"?'],
    ['set -e test MAIL=geheim', 'error: expected the name alone; the value is asked for'],
    ['set -e test hcn MAIL geheim', 'error: expected SERVICE NAME or NAME, found 3 words'],
    ['set -e test MA-IL', 'error: expected a name of letters, digits and _'],
    ['set -e test MAIL', 'error: expected the value of MAIL for all services on standard input, found nothing'],
    ['remove -e test MAIL', 'error: there is no MAIL for all services in secrets/test.yml'],
    ['rotate -e test MAIL', 'error: there is no MAIL for all services in secrets/test.yml'],
  ])('with a mistake is refused: %s', async (words, message) => {
    const { code, err } = await run(words)
    expect(err).toContain(message)
    expect(err).not.toContain('geheim')
    expect(code).toBe(1)
    expect(existsSync(file())).toBe(false)
  })

  test('is asked for on a terminal, and not shown there', async () => {
    const command = `${process.execPath} ${program} secret set -e test MAIL`
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: root, env: { ...process.env, HOME: home } })
    let shown = ''
    child.stdout.on('data', (data: Buffer) => {
      const wasAsked = shown.includes('(not shown)')
      shown += data.toString()
      if (!wasAsked && shown.includes('(not shown)')) child.stdin.write('gehx\u007Feim\r')
    })
    await once(child, 'close')
    expect(shown).toContain('Value of MAIL for all services in test (not shown): \r\n✓')
    expect(shown).not.toContain('geh')
    expect(await done('get -e test MAIL', asAnna)).toBe('geheim')
  })
})

describe('readers', () => {
  test('without an identity, or another one, are told who can', async () => {
    await done('set -e test MAIL', { input: 'geheim' })
    expect((await run('get -e test MAIL')).err).toContain('there is no identity to read secrets with')
    const boris = await recipientOf('boris')
    const { err } = await run('get -e test MAIL', { home: join(home, 'boris') })
    expect(err).toContain(`cannot be read by ${boris}; its readers are anna`)
  })

  test('who changed need all values encrypted anew, by one who can read them', async () => {
    await done('set -e test MAIL', { input: 'geheim' })
    const asBoris = { home: join(home, 'boris') }
    writeTeam({ anna, boris: await recipientOf('boris') }, ['boris'])
    const changed = 'the readers of test have changed: added boris; taken out anna'
    expect((await run('set -e test OTHER', { input: 'x' })).err).toContain(changed)
    expect((await run('list -e test')).err).toContain(changed)
    expect((await run('rekey -e test', asBoris)).err).toContain('cannot be read by')
    const { err } = await run('rekey -e test', asAnna)
    expect(err).toContain('✓ 1 value is encrypted anew in secrets/test.yml; from now on boris can read it')
    expect(err).toContain('you are not among them')
    expect(err).toContain('anna could read the old values, and still can in the repository')
    expect(await done('get -e test MAIL', asBoris)).toBe('geheim')
    expect((await run('get -e test MAIL', asAnna)).code).toBe(1)
  })

  test('of an environment that only a manifest has are those of the one that it extends', async () => {
    writeFileSync(
      join(root, 'geo', 'app.yml'),
      'name: geo\nenvironments: { demo: { extends: test7, secrets: [MAIL] } }\n',
    )
    await done('set -e test geo MAIL', { input: 'geheim' })
    expect(await done('get -e demo geo MAIL', asAnna)).toBe('geheim')
    const { err } = await run('set -e demo geo MAIL', { input: 'demo' })
    expect(err).toBe('✓ MAIL of geo is set in secrets/demo.yml, for anna\nthe next deploy rolls geo in demo\n')
  })

  test('that a sidecar has roll its service', async () => {
    const sidecar = '{ image: "envoy:1.30", secrets: [CERTIFICATE] }'
    writeFileSync(join(root, 'geo', 'app.yml'), `name: geo\nsidecars: { proxy: ${sidecar} }\n`)
    const { err } = await run('set -e test geo CERTIFICATE', { input: 'geheim' })
    expect(err).toContain('the next deploy rolls geo in test')
  })

  test('are those of the file where there is no sampan.yml', async () => {
    rmSync(join(root, 'sampan.yml'))
    rmSync(join(root, 'geo'), { recursive: true })
    await done('set -e test hcn TOKEN', { ...asAnna, input: 'geheim' })
    root = join(root, 'hcn')
    try {
      expect(textOf()).toMatch(/^readers:\n {2}.*: age1/m)
      const boris = await recipientOf('boris')
      writeFileSync(file(), textOf().replace(/^readers:\n/m, `$&  boris: ${boris}\n`))
      const asBoris = { home: join(home, 'boris') }
      expect((await run('get -e test hcn TOKEN', asBoris)).err).toContain('was encrypted before boris was a reader')
      await done('rekey -e test', asAnna)
      expect(await done('get -e test hcn TOKEN', asBoris)).toBe('geheim')
    } finally {
      root = join(root, '..')
    }
  })

  test('belong to the service that is named, where several have no sampan.yml', async () => {
    rmSync(join(root, 'sampan.yml'))
    await done('set -e test7 geo TOKEN', { ...asAnna, input: 'geheim' })
    expect(existsSync(join(root, 'geo/secrets/test7.yml'))).toBe(true)
    expect(await done('get -e test7 geo TOKEN', asAnna)).toBe('geheim')
    expect((await run('set -e test7 TOKEN', asAnna)).err).toContain(
      'secrets of geo, hcn need a sampan.yml above them; name one of them, or change to its folder',
    )
    expect((await run('set -e test7 ge TOKEN', asAnna)).err).toContain('name one of them')
  })
})

describe('editing', () => {
  const editor = (script: string): RunOptions => {
    const path = join(root, 'editor.sh')
    writeFileSync(path, script)
    return { ...asAnna, environment: { EDITOR: `sh ${path}` } }
  }

  beforeEach(async () => {
    await done('set -e test MAIL', { input: 'geheim' })
    await done('set -e test hcn TOKEN', { input: 'bleibt' })
  })

  test('encrypts anew what was changed, and nothing else', async () => {
    const before = textOf()
    const script = `ls -ld "$(dirname "$1")" "$1" > ${root}/modes; sed -i 's/geheim/neu/; s/^services:/&\\n  geo: { MAP: x }/' "$1"`
    const { err } = await run('edit -e test', editor(script))
    expect(err).toBe('✓ MAIL for all services is set\n✓ MAP of geo is set\n')
    expect(readFileSync(join(root, 'modes'), 'utf8')).toMatch(/^drwx------.*memory\/sampan-edit-.*\n-rw-------/)
    expect(await done('get -e test MAIL', asAnna)).toBe('neu')
    const kept = before.slice(before.indexOf('  hcn:'))
    expect(textOf()).toContain(kept)
    expect(readdirSync(memory)).toEqual([])
  })

  test('changes nothing when nothing was changed, the editor fails, or there is a mistake', async () => {
    const before = textOf()
    expect((await run('edit -e test', editor('true'))).err).toBe('nothing was changed\n')
    expect((await run('edit -e test', editor('sed -i s/geheim/neu/ "$1"; exit 3'))).err).toContain(
      'ended with exit code 3',
    )
    const broken = await run('edit -e test', editor('sed -i \'s/"geheim"/"geheim/\' "$1"'))
    expect(broken.err).toContain('error: line ')
    expect(broken.err).not.toContain('geheim')
    const unknown = await run('edit -e test', editor('echo "  hnc: { A: b }" >> "$1"'))
    expect(unknown.err).toContain('did you mean "hcn"?')
    expect(textOf()).toBe(before)
    expect(readdirSync(memory)).toEqual([])
  })

  test('does not overwrite what somebody else has set meanwhile', async () => {
    const other = `printf inzwischen | HOME=${home} ${process.execPath} ${program} secret set -e test MAIL`
    const result = await run('edit -e test', editor(`sed -i s/geheim/neu/ "$1"; cd ${root} && ${other}`))
    expect(result.err).toContain('MAIL for all services was changed by somebody else meanwhile')
    expect(await done('get -e test MAIL', asAnna)).toBe('inzwischen')
    await done('edit -e test', editor(`sed -i s/bleibt/neu/ "$1"; cd ${root} && ${other}`))
    expect(await done('get -e test hcn TOKEN', asAnna)).toBe('neu')
  })

  test('is refused where there is no folder in memory', async () => {
    rmSync(memory, { recursive: true })
    const { editPrivately } = await import('../private-editor.ts')
    const editing = editPrivately(
      { editor: 'true', folders: [memory] },
      'x',
      '',
      text => text,
      async () => false,
    )
    await expect(editing).rejects.toThrow('must not be written to a disk')
  })

  test.each(['SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'leaves no plain file when it is killed with %s',
    async signal => {
      const before = textOf()
      const script = `echo $$ > ${root}/editor.pid; sed -i s/geheim/neu/ "$1"; exec sleep 60`
      const child = start(['edit', '-e', 'test'], editor(script))
      const ended = once(child, 'exit')
      const plain = await eventually('the editor has the values', () => {
        const [folder] = readdirSync(memory)
        const path = folder === undefined ? undefined : join(memory, folder, 'test.yml')
        return path !== undefined && existsSync(path) && readFileSync(path, 'utf8').includes('neu') && path
      })
      const pid = Number(readFileSync(join(root, 'editor.pid'), 'utf8'))
      expect(statSync(plain).mode & 0o777).toBe(0o600)
      child.kill(signal)
      await ended
      try {
        await eventually('the plain file is gone', () => readdirSync(memory).length === 0)
        expect(textOf()).toBe(before)
        if (signal !== 'SIGKILL') await eventually('the editor has ended', () => !existsSync(`/proc/${pid}`))
      } finally {
        if (existsSync(`/proc/${pid}`)) process.kill(pid)
      }
    },
  )
})

describe('others on the machine', () => {
  test('see no value and no key in what processes were started with', async () => {
    await done('set -e test MAIL', { input: 'geheim-1234' })
    const identity = readFileSync(join(home, 'anna', '.config/sampan/identity.txt'), 'utf8')
    const key = identity.split('\n').find(line => line.startsWith('AGE-SECRET-KEY'))!
    const seen = join(root, 'seen')
    // All that the editor's user can see, but the process that was given the key so.
    writeFileSync(
      join(root, 'editor.sh'),
      `env > ${seen}; for each in /proc/[0-9]*; do
         tr '\\0' '\\n' < $each/cmdline; [ $each = /proc/$PPID ] || [ $each = /proc/$SAMPAN ] || tr '\\0' '\\n' < $each/environ
       done >> ${seen} 2>/dev/null; sed -i s/geheim-1234/geheim-5678/ "$1"`,
    )
    const child = spawn('sh', ['-c', `SAMPAN=$$ exec ${process.execPath} ${program} secret edit -e test`], {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        XDG_RUNTIME_DIR: memory,
        SAMPAN_AGE_KEY: key,
        EDITOR: `sh ${root}/editor.sh`,
      },
    })
    expect(await resultOf(child)).toMatchObject({ code: 0 })
    expect(await done('get -e test MAIL', asAnna)).toBe('geheim-5678')
    const all = readFileSync(seen, 'utf8')
    expect(all).toContain('secret\nedit')
    expect(all).toContain(`HOME=${home}`)
    expect(all).not.toContain('geheim-')
    expect(all).not.toContain(key)
  })

  test('who set values at the same time lose none', async () => {
    const names = Array.from({ length: 8 }, (_unused, index) => `NAME_${index}`)
    await Promise.all(names.map(name => done(`set -e test ${name}`, { input: name })))
    const listed = JSON.parse(await done('list -e test -o json')) as { secrets: { name: string }[] }
    expect(listed.secrets.map(({ name }) => name).toSorted()).toEqual(names)
  })

  test('find a whole file whenever a command was killed', async () => {
    await done('set -e test MAIL', { input: 'first' })
    const pace = Date.now()
    await done('set -e test MAIL', { input: 'second' })
    const tookMs = Date.now() - pace
    for (let part = 1; part <= 8; part++) {
      const child = start(['set', '-e', 'test', 'MAIL'], { input: `value ${part}` })
      setTimeout(() => child.kill('SIGKILL'), (tookMs * part) / 8)
      await once(child, 'exit')
      expect(await done('get -e test MAIL', asAnna)).toMatch(/^(second|value \d)$/)
    }
    await done('set -e test MAIL', { input: 'last' })
    expect(await done('get -e test MAIL', asAnna)).toBe('last')
    expect(readdirSync(join(root, 'secrets'))).toEqual(['test.yml'])
  })
})
