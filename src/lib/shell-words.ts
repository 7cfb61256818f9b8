// A text as the words that a POSIX shell makes of it: quotes and backslashes, and nothing else. What a shell would do
// beyond that (variables, pipes, patterns) is named, so that nobody waits for it in vain.

export type ShellWords =
  | { readonly words: readonly string[] }
  /** `shell`: only a shell can do it; otherwise no shell could either. */
  | { readonly problem: string; readonly shell: boolean }

const variable = String.raw`\$(?:\w+|\{[^}]*\}?)?`
const operators = new RegExp(String.raw`^(?:&&|\|\||[;&|<>()\n${'`'}]|${variable})`)
const inQuotes = new RegExp(String.raw`(?<!\\)(?:\\\\)*(${variable}|${'`'})`)

export function shellWords(text: string): ShellWords {
  const words: string[] = []
  let word: string | undefined
  for (let index = 0; index < text.length; index++) {
    const character = text[index]!
    const rest = text.slice(index)
    const needed = operators.exec(rest)?.[0]
    if (needed !== undefined) return needsShell(needed)
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (character === '\\') word = (word ?? '') + (text[++index] ?? '')
    else if (character === "'" || character === '"') {
      const quoted = (character === "'" ? /^'([^']*)'/ : /^"((?:[^"\\]|\\.)*)"/s).exec(rest)
      if (quoted === null) return { problem: `a ${character} is not closed`, shell: false }
      const inside = quoted[1]!
      const expanded = character === '"' ? inQuotes.exec(inside)?.[1] : undefined
      if (expanded !== undefined) return needsShell(expanded)
      word = (word ?? '') + (character === '"' ? inside.replaceAll(/\\([\\"$`])/g, '$1') : inside)
      index += quoted[0].length - 1
    } else if (/[*?[]/.test(character)) return needsShell(character)
    else if (word === undefined && /^~(?:[/\s]|$)/.test(rest)) return needsShell('~')
    else word = (word ?? '') + character
  }
  if (word !== undefined) words.push(word)
  return { words }
}

const needsShell = (what: string): ShellWords => ({
  problem: `${what === '\n' ? 'a new line' : `"${what}"`} needs a shell`,
  shell: true,
})
