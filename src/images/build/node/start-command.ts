// How a service is started: its start script, read as npm's shell would read it, as long as that is one program
// that the image has. The part that is not is named, with what could be written instead: images have no package
// manager, and a shell only when they are asked to.
import { shellWords } from '../../../lib/shell-words.ts'
import { forDevelopment, insteadOf } from './development-programs.ts'
import type { PackageProgram } from './installed-packages.ts'
import { meaningOf } from './script-words.ts'

export interface StartCommand {
  /** What runs it, where that is not Node.js: a path in the image, relative to where the service starts. */
  readonly program?: string
  /** Arguments of Node.js, or of the program: `['src/main.ts']`. */
  readonly command: readonly string[]
  /** Set for the service alone: `NODE_ENV=production node server.js`. */
  readonly variables: Readonly<Record<string, string>>
  /** What npm would do and the image does not. */
  readonly notes: readonly string[]
}

export interface StartContext {
  readonly scripts: Readonly<Record<string, string>>
  /** The program of an installed dependency; undefined: there is none. */
  readonly programOf: (name: string) => PackageProgram | undefined
  /** Whether a file of the service is a script for Node.js. */
  readonly isNodeScript: (path: string) => boolean
  /** Whether the image has a shell. */
  readonly shell: boolean
}

interface Reading extends StartContext {
  /** Scripts that led here. */
  readonly running: readonly string[]
}

/** What cannot be run. */
export interface Unstartable {
  readonly problem: string
  readonly instead?: string
}

/** Programs that do nothing but set variables for, or become, the next one. */
const carriers = new Set(['exec', 'env', 'cross-env', 'cross-env-shell'])
/** Programs that set variables out of files and start what stands after `--`. */
const runners = new Set(['dotenv', 'dotenvx', 'env-cmd'])
const assignment = /^([A-Za-z_]\w*)=(.*)$/s
const shell = '/bin/sh'

export const startCommand = (script: string, context: StartContext): StartCommand | Unstartable =>
  fromScript(script, { ...context, running: [] }, [])

/** The same for words that somebody wrote instead of a script. */
export const startWords = (words: readonly string[], context: StartContext): StartCommand | Unstartable =>
  fromWords(words, { ...context, running: [] })

function fromScript(name: string, outer: Reading, further: readonly string[]): StartCommand | Unstartable {
  const { scripts, running } = outer
  if (running.includes(name)) return { problem: `the script "${name}" runs itself and would never end` }
  const context = { ...outer, running: [...running, name] }
  const text = Object.hasOwn(scripts, name) ? scripts[name] : undefined
  if (text === undefined) return { problem: `there is no script "${name}"` }
  const started = fromText(text, context, further)
  const before = Object.hasOwn(scripts, `pre${name}`) ? scripts[`pre${name}`] : undefined
  if ('problem' in started || before === undefined) return started
  return {
    ...started,
    notes: [`the script "pre${name}" (${before}) does not run in the image`, ...started.notes],
  }
}

function fromText(text: string, context: Reading, further: readonly string[]): StartCommand | Unstartable {
  const words = shellWords(text)
  if (!('problem' in words)) return fromWords([...words.words, ...further], context)
  if (!words.shell) return { problem: words.problem }
  if (!context.shell)
    return {
      problem: `${words.problem}, which the image has not`,
      instead:
        'one program, such as "node src/main.ts", or give the image a shell: write into app.yml "build: { shell: true }"',
    }
  return { program: shell, command: ['-c', [text, ...further.map(quoted)].join(' ')], variables: {}, notes: [] }
}

const quoted = (word: string): string => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

function fromWords(words: readonly string[], context: Reading): StartCommand | Unstartable {
  const variables: Record<string, string> = {}
  let rest = words
  for (;;) {
    const [first = ''] = rest
    const set = assignment.exec(first)
    if (set !== null) variables[set[1]!] = set[2]!
    else if (!carriers.has(first)) break
    rest = rest.slice(1)
  }
  const started = program(rest, context)
  return 'problem' in started ? started : { ...started, variables: { ...variables, ...started.variables } }
}

function program(words: readonly string[], context: Reading): StartCommand | Unstartable {
  const [name, ...rest] = words
  if (name === undefined) return { problem: 'it starts no program' }
  if (name === 'node') return { command: rest, variables: {}, notes: [] }
  const meaning = meaningOf(words, script => Object.hasOwn(context.scripts, script))
  if (meaning !== undefined) {
    if ('problem' in meaning) return meaning
    return 'script' in meaning
      ? fromScript(meaning.script, context, meaning.further)
      : fromWords(meaning.words, context)
  }
  const development = forDevelopment(words)
  if (development !== undefined) return development
  const installed = context.programOf(name)
  if (installed !== undefined) return ofPackage(name, installed, rest, context)
  if (name.startsWith('/')) return { program: name, command: rest, variables: {}, notes: [] }
  if (name === 'sh' && context.shell) return { program: shell, command: rest, variables: {}, notes: [] }
  if (name.includes('/') && context.isNodeScript(name)) return { command: [name, ...rest], variables: {}, notes: [] }
  const instead = insteadOf(name)
  return {
    problem: `"${name}" is not in the image: it is no program of a package among the dependencies`,
    ...(instead !== undefined && { instead }),
  }
}

function ofPackage(
  name: string,
  { path, by }: PackageProgram,
  rest: readonly string[],
  context: Reading,
): StartCommand | Unstartable {
  if (by === 'shell' && !context.shell)
    return {
      problem: `"${name}" is a script for a shell, which the image has not`,
      instead: 'another program, or give the image a shell: write into app.yml "build: { shell: true }"',
    }
  if (by !== 'node') return { program: path, command: rest, variables: {}, notes: [] }
  if (!runners.has(name)) return { command: [path, ...rest], variables: {}, notes: [] }
  const at = rest.indexOf('--')
  if (at === -1) return { command: [path, ...rest], variables: {}, notes: [] }
  // It looks for the next program by name, and would find a script that needs more than Node.js.
  const next = fromWords(rest.slice(at + 1), context)
  if ('problem' in next) return next
  const { program: started = 'node', ...others } = next
  return { ...others, command: [path, ...rest.slice(0, at + 1), started, ...next.command] }
}

const withValue = new Set([
  '--env-file',
  '--env-file-if-exists',
  '-r',
  '--require',
  '--import',
  '--loader',
  '--experimental-loader',
  '-C',
  '--conditions',
])

/** The file that Node.js runs; undefined: none. */
export function entryOf(command: readonly string[]): string | undefined {
  for (let index = 0; index < command.length; index++) {
    const word = command[index]!
    if (/^(?:-e|--eval|-p|--print|-pe)$/.test(word)) return undefined
    if (withValue.has(word)) index++
    else if (!word.startsWith('-')) return word
  }
  return undefined
}

/** The file of variables without which Node.js does not start; undefined: none. */
export function variablesFileOf(command: readonly string[]): string | undefined {
  const entry = entryOf(command)
  const own = entry === undefined ? command : command.slice(0, command.indexOf(entry))
  const at = own.indexOf('--env-file')
  return at === -1 ? own.find(word => word.startsWith('--env-file='))?.slice('--env-file='.length) : own[at + 1]
}
