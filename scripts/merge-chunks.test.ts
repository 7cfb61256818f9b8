// Chunks that are merged do what they did before, and each start loads the files that it should.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from './bundle.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-merge-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Each part says when it is loaded: once, and behind what it imports. */
const sources = {
  command: `
    import { count } from './counter.js'
    console.log('command', count())
    const { run } = await (process.argv[2] === 'build' ? import('./build.js') : import('./small.js'))
    await run()`,
  server: `
    import { count } from './counter.js'
    import { small } from './small-part.js'
    import { large } from './large-part.js'
    console.log('server', count(), small, large)`,
  build: `
    import { count } from './counter.js'
    import { text } from './text.js'
    import { shared } from './shared.js'
    export const run = async () => {
      console.log('build', count(), text, shared)
      const { make } = await import('./make.js')
      console.log(make())
    }`,
  make: `
    import { count } from './counter.js'
    import { text } from './text.js'
    export const make = () => ['make', count(), text].join(' ')`,
  deploy: `
    import { shared } from './shared.js'
    import { make } from './make.js'
    console.log('deploy', shared, make())`,
  small: `
    import { small } from './small-part.js'
    import { shared } from './shared.js'
    export const run = () => console.log('small', small, shared)`,
  counter: `let counted = 0\nexport const count = () => ++counted\nconsole.log('load counter')`,
  text: `import { shared } from './shared.js'\nexport const text = 'text of ' + shared\nconsole.log('load text')`,
  shared: `export { default as shared } from './names.js'\nconsole.log('load shared')`,
  names: `export default 'shared'\nconsole.log('load names')`,
  'small-part': `export const small = 'small'\nconsole.log('load small-part')`,
  'large-part': `export const large = 'large'\nconsole.log('load large-part')`,
}

const source = (name: string): string => relative(process.cwd(), join(folder, 'src', `${name}.js`))
const entries = { command: source('command'), server: source('server'), deploy: source('deploy') }
const starts = {
  quick: [[source('command')], [source('command'), source('build')], [source('deploy')]],
  lean: [[source('server')]],
}

beforeAll(async () => {
  mkdirSync(join(folder, 'src'))
  for (const [name, text] of Object.entries(sources)) writeFileSync(source(name), text)
  for (const directory of ['apart', 'merged']) {
    await bundle(entries, join(folder, directory), directory === 'merged' ? { starts } : {})
    writeFileSync(join(folder, directory, 'package.json'), '{"type":"module"}')
  }
})

const run = (directory: string, program: string, word = ''): string[] =>
  execFileSync(process.execPath, [join(folder, directory, `${program}.js`), word], { encoding: 'utf8' })
    .trim()
    .split('\n')

test.each([
  ['command', 'build', 'make 3 text of shared'],
  ['deploy', '', 'deploy shared make 1 text of shared'],
  ['server', '', 'server 1 small large'],
])('%s %s does what it did, with the same code', (program, word, end) => {
  const said = run('merged', program, word)
  expect(said.at(-1)).toBe(end)
  expect(said.toSorted()).toEqual(run('apart', program, word).toSorted())
})

/** Names of files that a file imports, and what these import. */
function filesOf(directory: string, file: string, loaded = new Set<string>()): ReadonlySet<string> {
  if (loaded.has(file)) return loaded
  loaded.add(file)
  const text = readFileSync(join(folder, directory, file), 'utf8')
  for (const [, next] of text.matchAll(/(?:from|import)"\.\/([^"]+)"/g)) filesOf(directory, next!, loaded)
  return loaded
}

test('what two quick starts load together is one file', () => {
  expect(filesOf('apart', 'deploy.js').size - filesOf('merged', 'deploy.js').size).toBe(1)
})

test('others load what they share with a quick start as a whole', () => {
  const said = run('merged', 'command', 'small')
  expect(said.at(-1)).toBe('small small shared')
  expect(said.filter(line => !run('apart', 'command', 'small').includes(line))).toEqual(['load text'])
})

test('a start that does not exist is told', async () => {
  await expect(
    bundle(entries, join(folder, 'none'), { starts: { quick: [['src/none.js']], lean: [] } }),
  ).rejects.toThrow('expected a file that is loaded on its own, found none for src/none.js')
})
