import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ChangeDetector, type Watched } from './change-detector.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-changes-'))
afterAll(() => rmSync(root, { recursive: true }))

function project(paths: readonly string[]): string {
  const directory = mkdtempSync(join(root, 'p'))
  for (const path of paths) put(directory, path)
  return directory
}
function put(directory: string, path: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), String(Math.random()))
}

async function changed(edits: readonly string[], more: (directory: string) => Partial<Watched>): Promise<string[]> {
  const directory = project(['src/a.js', 'web/a.js', 'notes.md', 'app.yml', 'package.json'])
  const detector = new ChangeDetector({
    directory,
    manifests: [join(directory, 'app.yml')],
    inputs: [directory],
    development: undefined,
    output: undefined,
    ...more(directory),
  })
  for (const path of edits) put(directory, path)
  const found = (await detector.changes()).map(path => path.slice(directory.length + 1))
  expect(await detector.changes()).toEqual([])
  return found.toSorted()
}

const sources = (directory: string, steps: number): Partial<Watched> => ({
  development: {
    roots: () => [
      { from: directory, to: '/app', filter: { includes: path => path.startsWith('src/'), mayHold: () => true } },
    ],
    making: [join(directory, 'package.json')],
    steps: Array.from({ length: steps }, () => ({ directory, command: ['make'] })),
  },
})

test('without a way into containers, everything is a change', async () => {
  expect(await changed(['src/a.js', 'notes.md', 'new/b'], () => ({}))).toEqual(['new/b', 'notes.md', 'src/a.js'])
})

test('what does not get into the image is none, except what makes the image, and the manifest', async () => {
  const edits = ['src/a.js', 'notes.md', 'app.yml', 'package.json']
  expect(await changed(edits, directory => sources(directory, 0))).toEqual(['app.yml', 'package.json', 'src/a.js'])
})

describe('what a build writes beside its sources', () => {
  const made = (directory: string): string => join(directory, 'made/words.js')
  function beside(): { readonly directory: string; readonly detector: ChangeDetector } {
    const directory = project(['src/a.js', 'app.yml', 'package.json'])
    const watched = { directory, manifests: [join(directory, 'app.yml')], inputs: [directory], output: undefined }
    return { directory, detector: new ChangeDetector({ ...watched, development: undefined }) }
  }
  async function write(directory: string, text: string): Promise<void> {
    rmSync(join(directory, 'made'), { recursive: true, force: true })
    await Promise.resolve()
    mkdirSync(join(directory, 'made'))
    writeFileSync(made(directory), text)
  }

  test('is a change when it holds something else, so that builds come to an end', async () => {
    const { directory, detector } = beside()
    for (const [text, changes] of [
      ['one', [made(directory)]],
      ['one', []],
      ['two', [made(directory)]],
      ['two', []],
    ] as const) {
      const building = detector.whileBuilding(() => write(directory, text))
      const seen = detector.changes()
      await building
      expect(await seen).toEqual(changes)
    }
  })

  test('is one when somebody wrote it, whatever it holds, and so is what somebody writes meanwhile', async () => {
    const { directory, detector } = beside()
    const source = join(directory, 'src/a.js')
    const edit = (text: string) => async (): Promise<void> => writeFileSync(source, text)
    await detector.whileBuilding(edit('two'))
    expect(await detector.changes()).toEqual([source])
    await edit('two')()
    expect(await detector.changes()).toEqual([source])
    await edit('three')()
    expect(await detector.changes()).toEqual([source])
    await detector.whileBuilding(edit('two'))
    expect(await detector.changes()).toEqual([source])
    await edit('two')()
    await detector.whileBuilding(async () => {})
    expect(await detector.changes()).toEqual([source])
  })

  test('is looked at after a build that fails, too', async () => {
    const { directory, detector } = beside()
    const failing = detector.whileBuilding(async () => {
      await write(directory, 'one')
      throw new Error('on purpose')
    })
    await expect(failing).rejects.toThrow('on purpose')
    expect(await detector.changes()).toEqual([made(directory)])
  })
})

test('what steps make is none, wherever they are told to put it; what they are made of is', async () => {
  const edits = ['src/a.js', 'notes.md', 'dist/a.js', 'web/a.js']
  expect(await changed(edits, directory => ({ ...sources(directory, 1), output: 'web' }))).toEqual([
    'notes.md',
    'src/a.js',
  ])
})
