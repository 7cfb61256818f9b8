// Sessions with real files, a real agent and a real process of the service; only image and delivery are doubles.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { machineClock } from '../host/machine-clock.ts'
import type { Clock } from '../lib/clock.ts'
import type { FileFilter } from '../images/build/layers/docker-ignore.ts'
import { eventually } from '../testing/eventually.ts'
import { LocalAgent } from '../testing/local-agent.ts'
import { ChangeDetector } from './change-detector.ts'
import { DevelopmentSession, heartbeatMs, type SessionOptions } from './session.ts'
import { watchFiles, type FileWatch } from './watch-files.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-session-'))
afterAll(() => rmSync(root, { recursive: true }))

const everything: FileFilter = { includes: path => !path.endsWith('.log'), mayHold: () => true }
let local: LocalAgent
let source = ''
let container = ''
let session: DevelopmentSession
let watch: FileWatch
let running: Promise<void>
let builds: string[] = []
let deliveries = 0
let said: string[] = []
let buildProblem: Error | undefined
let deliveryProblem: Error | undefined
let inPlaceOfIt: string | undefined
let migrates = false
let manifestProblem: Error | undefined
let deliver: (build: string) => void

const put = (path: string, text: string): void => {
  mkdirSync(join(source, path, '..'), { recursive: true })
  writeFileSync(join(source, path), text)
}
const inContainer = (path: string): string | undefined =>
  existsSync(join(container, path)) ? readFileSync(join(container, path), 'utf8') : undefined

const isFile = (path: string): boolean => lstatSync(join(container, path), { throwIfNoEntry: false })?.isFile() === true

/** What an image would hold. */
function unpack(build: string): void {
  rmSync(container, { recursive: true, force: true })
  mkdirSync(container, { recursive: true })
  for (const name of ['main.js', 'word.txt']) writeFileSync(join(container, name), readFileSync(join(source, name)))
  local.start([process.execPath, join(container, 'main.js')], build)
}

function begin(more: Partial<SessionOptions> = {}, steps: readonly string[][] = []): void {
  const development = {
    roots: () => [{ from: source, to: container, filter: everything }],
    making: [join(source, 'package-lock.json')],
    steps: steps.map(command => ({ directory: source, command })),
  }
  session = new DevelopmentSession({
    engine: local.engine,
    clock: machineClock,
    place: { environment: 'dev', namespace: 'dev', service: 'web' },
    manifests: [join(source, 'app.yml')],
    development,
    restarts: true,
    keep: false,
    work: {
      inPlaceOfIt: async () => inPlaceOfIt,
      runsImage: () => migrates,
      check: () => {
        if (manifestProblem !== undefined) throw manifestProblem
      },
      build: async build => {
        if (buildProblem !== undefined) throw buildProblem
        builds.push(build)
        return { agent: local.agent }
      },
      deliver: async () => {
        deliveries++
        if (deliveryProblem !== undefined) throw deliveryProblem
        deliver(builds.at(-1)!)
      },
      step: async ({ command }, signal) => {
        if (command[0] === 'sleep')
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))))
        if (command[0] === 'fail') throw new Error('main.ts(1,1): broken')
        writeFileSync(join(source, 'word.txt'), readFileSync(join(source, 'word.src')))
      },
    },
    report: {
      line: ({ text }) => said.push(text),
      done: text => said.push(text.replaceAll(/\d+\.\d+ s/g, 'T')),
      working: text => said.push(`working: ${text}`),
      trouble: text => said.push(`trouble: ${text}`),
    },
    ...more,
  })
  const detector = new ChangeDetector({
    directory: source,
    manifests: [join(source, 'app.yml')],
    inputs: [source],
    development: 'development' in more ? undefined : development,
    output: undefined,
  })
  let looking = Promise.resolve()
  watch = watchFiles(
    [source],
    () => {
      looking = looking.then(async () => session.changed(await detector.changes()))
    },
    text => said.push(text),
  )
  running = session.run()
}

beforeEach(() => {
  local = new LocalAgent()
  source = mkdtempSync(join(root, 'source-'))
  container = join(local.folder, 'app')
  builds = []
  deliveries = 0
  said = []
  buildProblem = undefined
  deliveryProblem = undefined
  inPlaceOfIt = undefined
  migrates = false
  manifestProblem = undefined
  deliver = unpack
  put('word.txt', 'one')
  put(
    'main.js',
    `const word = require('fs').readFileSync(__dirname + '/word.txt', 'utf8')
     console.log('serving ' + word)
     if (word === 'crash') throw new Error('as asked')
     setInterval(() => {}, 1000)`,
  )
})
afterEach(async () => {
  session.stop()
  watch.close()
  await running
  local.remove()
})

const until = (line: string, times = 1): Promise<unknown> =>
  eventually(`"${line}" ${times} times`, () => said.filter(other => other === line).length >= times, 20_000)

describe('a change', () => {
  test('of a source is brought to the container, and the process is started again', async () => {
    begin()
    await until('serving one')
    put('word.txt', 'two')
    await until('serving two')
    await until(`${container}/word.txt in T`)
    expect([builds.length, deliveries]).toEqual([1, 1])
    put('deep/er/new.txt', 'n')
    await eventually('the new file', () => inContainer('deep/er/new.txt') === 'n')
    rmSync(join(source, 'deep'), { recursive: true })
    await eventually('it goes', () => inContainer('deep/er/new.txt') === undefined)
  }, 30_000)

  test('of a folder into a file, of a link, of a large file, and of a folder that goes', async () => {
    begin()
    await until('serving one')
    put('data/deep/a', 'a')
    await eventually('a file in a folder', () => inContainer('data/deep/a') === 'a')
    rmSync(join(source, 'data'), { recursive: true })
    writeFileSync(join(source, 'data'), 'a file')
    await eventually('a file in place of it', () => isFile('data') && inContainer('data') === 'a file')
    symlinkSync('data', join(source, 'link'))
    await eventually('a link', () => inContainer('link') === 'a file')
    writeFileSync(join(source, 'large'), Buffer.alloc(9 << 20, 'x'))
    await until(`${container}/large in T`)
    await eventually('a large file', () => inContainer('large')?.length === 9 << 20)
    put('gone/deep/a', 'a')
    await eventually('another folder', () => inContainer('gone/deep/a') === 'a')
    rmSync(join(source, 'gone'), { recursive: true })
    await eventually('it is gone as a whole', () => !existsSync(join(container, 'gone')))
  }, 60_000)

  test('of source and manifest at once is brought, and delivered', async () => {
    begin()
    await until('serving one')
    await until('delivered')
    put('app.yml', 'name: web')
    put('word.txt', 'two')
    await until('serving two')
    await until('delivered, T after the change')
    expect([builds.length, deliveries]).toEqual([1, 2])
  }, 30_000)

  test('that changes nothing starts nothing again', async () => {
    begin()
    await until('serving one')
    put('word.txt', 'one')
    for (let line = 0; line < 5; line++) put('out.log', `${line}`)
    put('word.txt', 'two')
    await until('serving two')
    expect(said.filter(line => line.startsWith('serving'))).toEqual(['serving one', 'serving two'])
  }, 30_000)

  test('of a lock file makes another image, and of the manifest delivers the same', async () => {
    begin()
    await until('serving one')
    put('package-lock.json', '{}')
    await eventually('another image', () => builds.length === 2 && deliveries === 2)
    put('app.yml', 'name: web')
    await eventually('another delivery', () => deliveries === 3)
    expect(builds).toHaveLength(2)
  }, 30_000)

  test('is in the image that a migration is run from', async () => {
    migrates = true
    begin()
    await until('serving one')
    put('app.yml', 'name: web')
    await eventually('another delivery', () => deliveries === 2)
    expect(builds).toHaveLength(1)
    put('word.txt', 'two')
    await until('serving two')
    put('app.yml', 'name: web\nmigrate: { up: node two.js }')
    await eventually('a third delivery', () => deliveries === 3)
    expect(builds).toHaveLength(2)
  }, 30_000)

  test('runs the steps of the project first, whose outputs are no change', async () => {
    put('.gitignore', 'word.txt')
    put('word.src', 'one')
    put('dist/a', '')
    begin({}, [['make']])
    await until('serving one')
    put('word.src', 'two')
    await until('serving two')
    put('dist/a', 'b')
    put('word.src', 'three')
    await until('serving three')
    expect(said.filter(line => line.startsWith('serving'))).toEqual(['serving one', 'serving two', 'serving three'])
  }, 30_000)

  test('makes another image where nothing can be brought into a container', async () => {
    begin({ development: undefined })
    await until('serving one')
    put('word.txt', 'two')
    await until('serving two')
    expect([builds.length, deliveries]).toEqual([2, 2])
  }, 30_000)
})

describe('what fails is told and waits for the next change:', () => {
  test('a process that crashes', async () => {
    begin()
    await until('serving one')
    put('word.txt', 'crash')
    await until('trouble: the process ended with exit code 1; waiting for the next change (Enter starts it again)')
    expect(said.some(line => line.includes('Error: as asked'))).toBe(true)
    put('word.txt', 'two')
    await until('serving two')
  }, 30_000)

  test('a build, a step, a delivery', async () => {
    buildProblem = new Error('no lock file')
    begin()
    await until('trouble: no lock file\nwaiting for the next change')
    buildProblem = undefined
    deliveryProblem = new Error('quota exceeded')
    put('word.txt', 'two')
    await until('trouble: quota exceeded\nwaiting for the next change')
    deliveryProblem = undefined
    put('word.txt', 'three')
    await until('serving three')
  }, 30_000)

  test('a manifest with mistakes, while sources go on to be brought', async () => {
    begin()
    await until('serving one')
    manifestProblem = new Error('app.yml:1: nmae: did you mean "name"?')
    put('app.yml', 'nmae: web')
    put('word.txt', 'two')
    await until('trouble: app.yml:1: nmae: did you mean "name"?\nwaiting for the next change')
    await until('serving two')
    put('word.txt', 'three')
    await until('serving three')
    expect(said.filter(line => line.includes('nmae'))).toHaveLength(1)
    manifestProblem = undefined
    put('app.yml', 'name: web')
    await eventually('another delivery', () => deliveries === 2)
    expect(builds).toHaveLength(1)
  }, 30_000)

  test('a step of the project', async () => {
    begin({}, [['fail']])
    await until('serving one')
    put('main.ts', '')
    await until('trouble: main.ts(1,1): broken\nwaiting for the next change')
  }, 30_000)
})

test('another container of the same image gets what was changed since', async () => {
  begin()
  await until('serving one')
  put('word.txt', 'two')
  await until('serving two')
  put('word.txt', 'one')
  await until(`${container}/word.txt in T`)
  await until('serving one', 2)
  put('word.txt', 'three')
  await until('serving three')
  writeFileSync(join(container, 'word.txt'), 'one')
  local.start([process.execPath, join(container, 'main.js')], builds[0]!)
  await until('serving three', 2)
}, 30_000)

test('Enter starts the process again', async () => {
  begin()
  await until('serving one')
  await until('delivered')
  await until('serving one')
  session.restart()
  await until('serving one', 2)
}, 30_000)

test('somebody else who delivers the service is told at once, and the next change delivers it again', async () => {
  begin()
  await until('serving one')
  await until('delivered')
  put('word.txt', 'two')
  await until('serving two')
  inPlaceOfIt = 'max@box delivered web 2.0.0 to dev meanwhile (release 3)'
  local.stopContainer()
  await until(`trouble: ${inPlaceOfIt}; the next change, or Enter, delivers yours again`)
  put('word.txt', 'three')
  await until('serving three')
  expect([builds.length, deliveries]).toEqual([2, 2])
}, 30_000)

test('somebody else who delivered it before any instance was there is told with the next change', async () => {
  inPlaceOfIt = 'max@box delivered web 2.0.0 to dev meanwhile (release 3)'
  deliver = () => {}
  begin()
  await until('delivered')
  deliver = unpack
  put('word.txt', 'two')
  await until(`trouble: ${inPlaceOfIt}; delivering yours again`)
  await until('serving two')
}, 30_000)

test('a cluster that does not answer is told once, and again when it does; changes arrive then', async () => {
  const hastened: Clock = {
    ...machineClock,
    after: (delayMs, work) => machineClock.after(delayMs === heartbeatMs ? 50 : delayMs, work),
  }
  begin({ clock: hastened })
  await until('serving one')
  await until('delivered')
  local.refuses('the cluster cannot be reached')
  await until('trouble: the cluster cannot be reached\nthe cluster is asked again, and gets what is changed meanwhile')
  put('word.txt', 'two')
  local.accepts()
  await until('the cluster answers again')
  await until('serving two')
  expect(said.filter(line => line.includes('cannot be reached'))).toHaveLength(1)
}, 30_000)

test('what is kept at the end has its changes in an image', async () => {
  begin({ keep: true })
  await until('serving one')
  put('word.txt', 'two')
  await until('serving two')
  session.stop()
  await running
  expect([builds.length, deliveries]).toEqual([2, 2])
  expect(said.at(-1)).toBe('delivered with all changes in its image')
  begin({ keep: true })
  await until('delivered')
  session.stop()
  await running
  expect(deliveries).toBe(3)
}, 30_000)

test('the end of it ends what is being built', async () => {
  begin({}, [['sleep']])
  await until('serving one')
  put('main.ts', '')
  await eventually('it builds', () => said.includes('working: sleep'))
  session.stop()
  await running
  expect(said.filter(line => line.startsWith('trouble'))).toEqual([])
}, 30_000)
