// What `npm run x`, `pnpm x`, `yarn x` and their like do, as far as it is running a script or a program of a package.

export type Meaning =
  | { readonly script: string; readonly further: readonly string[] }
  /** A program of a package, or node. */
  | { readonly words: readonly string[] }
  | { readonly problem: string }

/** undefined: it is no package manager. */
export function meaningOf(words: readonly string[], hasScript: (name: string) => boolean): Meaning | undefined {
  const [manager = '', ...rest] = words[0] === 'corepack' ? words.slice(1) : words
  if (manager === 'npx') return { words: withoutFlags(rest, ['-y', '--yes', '--no-install', '--no', '--']) }
  if (manager !== 'npm' && manager !== 'pnpm' && manager !== 'yarn') return undefined
  const [verb = manager === 'yarn' ? 'install' : '', ...further] = withoutFlags(rest, [
    '-s',
    '--silent',
    '--quiet',
    '-q',
  ])
  const name = `${manager} ${verb}`
  if (verb.startsWith('-') || verb === 'workspace' || verb === 'workspaces')
    return { problem: `"${name}" may be about another folder` }
  if (verb === 'run' || verb === 'run-script') {
    const [script = '', ...others] = withoutFlags(further, ['-s', '--silent', '--if-present'])
    if (hasScript(script) || manager === 'npm') return { script, further: passedOn(manager, others) }
    return manager === 'yarn' ? { words: [script, ...others] } : { script, further: others }
  }
  if (verb === 'exec' || (manager === 'npm' && verb === 'x'))
    return { words: withoutFlags(further, ['-y', '--yes', '--']) }
  if (manager === 'yarn' && verb === 'node') return { words: ['node', ...further] }
  const isScript = manager === 'npm' ? ['start', 'test', 'restart', 'stop'].includes(verb) : hasScript(verb)
  if (isScript) return { script: verb, further: passedOn(manager, further) }
  if (manager === 'npm' || verb === 'start' || ownCommands.has(verb))
    return { problem: `"${name}" is not in the image` }
  return { words: [verb, ...further] }
}

/** Of pnpm and yarn; each other word is the name of a program. */
const ownCommands = new Set([
  '',
  'install',
  'i',
  'add',
  'ci',
  'remove',
  'update',
  'dlx',
  'create',
  'deploy',
  'store',
  'cache',
  'config',
  'pack',
  'publish',
])

function withoutFlags(words: readonly string[], flags: readonly string[]): readonly string[] {
  const first = words.findIndex(word => !flags.includes(word))
  return first === -1 ? [] : words.slice(first)
}

/** npm keeps what stands after `--` to the script, the others all of it. */
const passedOn = (manager: string, words: readonly string[]): readonly string[] =>
  manager === 'npm' ? words.filter(word => word !== '--') : words
