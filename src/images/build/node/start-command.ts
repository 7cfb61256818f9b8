// How a service is started: its start script, read as npm's shell would read it, as long as that is one program
// that the image has. The part that is not is named: images have neither a shell nor npm.
import { shellWords } from '../../../lib/shell-words.ts'

export interface StartCommand {
  /** Arguments of Node.js: `['src/main.ts']`. */
  readonly command: readonly string[]
  /** Set for the service alone: `NODE_ENV=production node server.js`. */
  readonly variables: Readonly<Record<string, string>>
  /** What npm would do and the image does not. */
  readonly notes: readonly string[]
}

export interface StartContext {
  readonly scripts: Readonly<Record<string, string>>
  /** Where the program of an installed dependency is, relative to where the service starts; undefined: there is none. */
  readonly programOf: (name: string) => string | undefined
  /** Whether a file of the service is a script for Node.js. */
  readonly isNodeScript: (path: string) => boolean
}

interface Reading extends StartContext {
  /** Scripts that led here. */
  readonly running: readonly string[]
}

/** What cannot be run. */
export interface Unstartable {
  readonly problem: string
}

/** Programs that do nothing but set variables for, or become, the next one. */
const carriers = new Set(['exec', 'env', 'cross-env', 'cross-env-shell'])
const assignment = /^([A-Za-z_]\w*)=(.*)$/s

export function startCommand(script: string, context: StartContext): StartCommand | Unstartable {
  return fromScript(script, { ...context, running: [] }, [])
}

function fromScript(name: string, outer: Reading, further: readonly string[]): StartCommand | Unstartable {
  const { scripts, running } = outer
  if (running.includes(name)) return { problem: `the script "${name}" runs itself and would never end` }
  const context = { ...outer, running: [...running, name] }
  const text = Object.hasOwn(scripts, name) ? scripts[name] : undefined
  if (text === undefined) return { problem: `there is no script "${name}"` }
  const words = shellWords(text)
  if ('problem' in words) return { problem: words.shell ? `${words.problem}, which the image has not` : words.problem }
  const started = fromWords([...words.words, ...further], context)
  const before = scripts[`pre${name}`]
  if ('problem' in started || before === undefined) return started
  return {
    ...started,
    notes: [`the script "pre${name}" (${before}) does not run in the image`, ...started.notes],
  }
}

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

function program([name, ...rest]: readonly string[], context: Reading): StartCommand | Unstartable {
  if (name === undefined) return { problem: 'it starts no program' }
  if (name === 'node') return { command: rest, variables: {}, notes: [] }
  if (name === 'npm') {
    const [verb = '', ...further] = rest
    if (verb === 'run' || verb === 'run-script') {
      const [script = '', ...others] = further
      return fromScript(
        script,
        context,
        others.filter(word => word !== '--'),
      )
    }
    return { problem: `"npm ${verb}" is not in the image` }
  }
  const installed = context.programOf(name)
  if (installed !== undefined) return { command: [installed, ...rest], variables: {}, notes: [] }
  if (name.includes('/') && context.isNodeScript(name)) return { command: [name, ...rest], variables: {}, notes: [] }
  return { problem: `"${name}" is not in the image: it is no program of a package among the dependencies` }
}
