// The rules of a .dockerignore, as Docker reads them: the last rule that fits a path or one of the folders it is in
// decides, and `!` takes back, also out of a folder that is left out. Source: Docker's documentation of the build
// context.

export interface FileFilter {
  readonly includes: (path: string) => boolean
  /** Whether there may be something in a folder that is itself left out. */
  readonly mayHold: (folder: string) => boolean
}

interface Rule {
  readonly pattern: RegExp
  /** What every path that fits begins with. */
  readonly literal: string
  readonly ignored: boolean
}

export const everything: FileFilter = { includes: () => true, mayHold: () => true }

export function dockerIgnore(lines: readonly string[]): FileFilter {
  const rules = lines.flatMap((line, index) => ruleOf(index === 0 ? line.replace(/^\uFEFF/, '') : line))
  const takingBack = rules.filter(({ ignored }) => !ignored)
  return {
    includes: path => rules.findLast(({ pattern }) => pattern.test(path))?.ignored !== true,
    mayHold: folder =>
      takingBack.some(({ literal }) => literal.startsWith(`${folder}/`) || `${folder}/`.startsWith(literal)),
  }
}

function ruleOf(line: string): Rule[] {
  const text = line.startsWith('#') ? '' : line.trim()
  const ignored = !text.startsWith('!')
  const name = cleaned(ignored ? text : text.slice(1).trim())
  if (name === '') return []
  return [{ pattern: new RegExp(`^${expression(name)}(?:/.*)?$`, 's'), literal: /^[^*?[\\]*/.exec(name)![0], ignored }]
}

/** Without `.`, `..`, and slashes at either end. */
function cleaned(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

const tokens = /\*\*\/?$|\*\*\/?|\*|\?|\[\^?(?:\\.|[^\]\\])+\]|\\.|./gs

const expression = (name: string): string => [...name.matchAll(tokens)].map(([token]) => translated(token)).join('')

function translated(token: string): string {
  if (token.startsWith('**')) return token.endsWith('/') ? '(?:.*/)?' : '.*'
  if (token === '*') return '[^/]*'
  if (token === '?') return '[^/]'
  if (token.length > 1 && token.startsWith('[')) return token
  const character = token.length > 1 ? token.slice(1) : token
  return /[\w/]/.test(character) ? character : `\\${character}`
}
