// Compiled code is made by the Node.js that runs the tests, of a service and packages in two places.
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { run } from '../../../host/command.ts'
import { entriesBelow } from '../layers/layer.ts'
import { compileDependencies, compiledApplication } from './compiled-code.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-compiled-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** A member of a workspace whose packages are links, as pnpm lays them out. */
function place(name: string): string {
  const directory = join(root, name)
  const put = (path: string, content: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  put('node_modules/.pnpm/a@1/node_modules/a/package.json', '{"name":"a","main":"a.js"}')
  put(
    'node_modules/.pnpm/a@1/node_modules/a/a.js',
    `exports.words = require('b').words.map(word => word + ${'"x" + '.repeat(50)}1)`,
  )
  put('node_modules/.pnpm/b@1/node_modules/b/package.json', '{"name":"b","type":"module","exports":"./b.js"}')
  put(
    'node_modules/.pnpm/b@1/node_modules/b/b.js',
    `export const words = ['one', 'two'].map(word => ({ [word]: word }))`,
  )
  symlinkSync('../../b@1/node_modules/b', join(directory, 'node_modules/.pnpm/a@1/node_modules/b'))
  mkdirSync(join(directory, 'packages/web/node_modules'), { recursive: true })
  symlinkSync('../../../node_modules/.pnpm/a@1/node_modules/a', join(directory, 'packages/web/node_modules/a'))
  return directory
}

const cache = 'node_modules/.compile-cache'
const contentsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ name, parentPath }) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(parentPath, name)))
          .digest('hex'),
      ]),
  )

test('compiled packages are the same to the byte wherever they are, and Node.js takes them', async () => {
  const places = [place('one'), place('another-one')]
  for (const directory of places) await compileDependencies(directory, 'packages/web', ['a'], process.execPath)
  const [first, second] = places.map(directory => contentsOf(join(directory, cache)))
  expect(Object.keys(first!)).toHaveLength(2)
  expect(second).toEqual(first)
  const folder = join(places[1]!, cache)
  const [made] = readdirSync(folder)
  renameSync(join(folder, made!), join(folder, made!.replace(/-\d+$/, `-${process.getuid!()}`)))
  const { stderr } = await run(process.execPath, ['-e', "require('a')"], {
    directory: join(places[1]!, 'packages/web'),
    environment: { NODE_COMPILE_CACHE: folder, NODE_COMPILE_CACHE_PORTABLE: '1', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
  })
  expect(stderr.match(/\/[ab]\.js was accepted/g)).toEqual(['/a.js was accepted', '/b.js was accepted'])
})

test('compiled code of a service is the same to the byte each time, and nothing of it has run', async () => {
  const source = join(root, 'source')
  mkdirSync(source)
  writeFileSync(join(source, 'main.ts'), `import { x } from './x.ts'\nimport 'nothing'\nthrow new Error(x as string)`)
  writeFileSync(join(source, 'x.ts'), `export const x: string = 'x'\nthrow new Error('ran')`)
  const entries = await entriesBelow(source, 'app/packages/web')
  const made = await Promise.all(
    ['one', 'another-one'].map(async name => {
      const making = join(root, name)
      const start = { command: ['--enable-source-maps', 'main.ts'], path: 'packages/web' }
      const compiled = await compiledApplication({ making, nodeBinary: process.execPath }, entries, start)
      const files = compiled.flatMap(entry => (entry.kind === 'file' ? [entry] : []))
      return files.map(({ path, source: file }) => [path, readFileSync(file).toString('hex')])
    }),
  )
  // Each module as Node.js reads it, and without its types.
  expect(made[0]!.length).toBeGreaterThanOrEqual(2)
  expect(made[0]![0]![0]).toMatch(/^app\/node_modules\/\.compile-cache\/[^/]+-1000\//)
  expect(made[1]).toEqual(made[0])
})
