// Modules beside the one that is built: go.mod replaces others by folders, and a go.work above names those that are
// worked on together. An image is made of them, too.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Files and folders that a program is made of, absolute; the folder itself first. */
export function goInputs(directory: string): string[] {
  const replaced = wordsOf(join(directory, 'go.mod'), 'replace').flatMap(
    line => /=>\s*"?(\.{1,2}(?:\/[^\s"]*)?)/.exec(line)?.[1] ?? [],
  )
  const work = workFile(directory)
  const used = work === undefined ? [] : wordsOf(work, 'use').map(line => line.replaceAll('"', ''))
  return [
    ...new Set([
      directory,
      ...replaced.map(path => resolve(directory, path)),
      ...(work === undefined ? [] : [work, `${work}.sum`]),
      ...used.map(path => resolve(dirname(work!), path)),
    ]),
  ]
}

/** As the go command looks for it. */
function workFile(directory: string): string | undefined {
  const said = process.env['GOWORK'] ?? ''
  if (said === 'off') return undefined
  if (said !== '') return said
  for (let folder = directory; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, 'go.work'))) return join(folder, 'go.work')
  return undefined
}

/** What stands behind a directive, alone or in brackets. */
function wordsOf(file: string, directive: string): string[] {
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8').replaceAll(/\/\/.*$/gm, '')
  const found = text.matchAll(new RegExp(`^\\s*${directive}\\s+(?:\\(([^)]*)\\)|([^(\\n]+)$)`, 'gm'))
  return [...found]
    .flatMap(([, several, one]) => (several ?? one ?? '').split('\n'))
    .map(line => line.trim())
    .filter(line => line !== '')
}
