// Paths as Kong and marathon-lb match them, and what takes the same requests here: their prefixes go on in the middle of a
// segment (`/foo` takes `/foobar`), and their patterns need not fit to the end. Pure.
// Source: Kong, router (traditional_compatible); HAProxy, `path_beg`.
import { fitsPattern } from '../model/patterns.ts'
import { plainPath } from '../model/plain-path.ts'

export type SourcePath =
  /** Of characters. */
  | { readonly kind: 'prefix'; readonly value: string; readonly ignoresCase?: boolean }
  /** Fits from the beginning; `whole`: to the end. */
  | { readonly kind: 'pattern'; readonly value: string; readonly whole: boolean }
  | { readonly kind: 'exact'; readonly value: string }

export function takesPath(path: SourcePath, asked: string): boolean {
  switch (path.kind) {
    case 'prefix':
      return path.ignoresCase === true
        ? asked.toLowerCase().startsWith(path.value.toLowerCase())
        : asked.startsWith(path.value)
    case 'pattern':
      return fitsPattern(fullPattern(path), asked)
    case 'exact':
      return asked === path.value
  }
}

export const prefixPath = (text: string, ignoresCase = false): SourcePath => ({
  kind: 'prefix',
  value: plainPath(text),
  ...(ignoresCase && { ignoresCase }),
})

/** An expression in the words of RE2, with what it is at its end said apart. */
export function patternPath(expression: string): SourcePath {
  const text = expression.replace(/^\^+/, '').replaceAll(/\(\?P?<(?![=!])[^>]*>/g, '(')
  const whole = /(?<!\\)(\\\\)*\$$/.test(text)
  return { kind: 'pattern', value: whole ? text.slice(0, -1) : text, whole }
}

/** An expression that has to fit all of a path. @param but rests of the prefix after which a path is somebody else's, by segments */
export function patternOf(path: SourcePath, but: readonly string[] = []): string {
  switch (path.kind) {
    case 'prefix':
      return `${path.ignoresCase === true ? '(?i)' : ''}${escaped(path.value)}${but.length === 0 ? '.*' : otherThan(but)}`
    case 'pattern':
      return fullPattern(path)
    case 'exact':
      return escaped(path.value)
  }
}

const fullPattern = ({ value, whole }: Extract<SourcePath, { kind: 'pattern' }>): string => {
  const one = /(?<!\\)\|/.test(value) ? `(?:${value})` : value
  return whole ? one : `${one}.*`
}

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)

/** What begins with none of these prefixes by segments. RE2 has no look-ahead, so each character is asked for by itself. */
function otherThan(rests: readonly string[]): string {
  if (rests.length === 0) return '.*'
  const ends = rests.includes('')
  const nexts = Map.groupBy(
    rests.filter(rest => rest !== ''),
    ([character]) => character!,
  )
  if (ends) nexts.delete('/')
  const others = [...nexts.keys(), ...(ends ? ['/'] : [])].map(character =>
    character.replace(/[\\\]^-]/, String.raw`\$&`),
  )
  return `(?:${[
    ...(ends ? [] : ['']),
    `[^${others.join('')}].*`,
    ...[...nexts].map(([character, all]) => escaped(character) + otherThan(all.map(rest => rest.slice(1)))),
  ].join('|')})`
}

/** How each path that it takes begins, as far as that is plain. */
export function literalPart(path: SourcePath): string {
  if (path.kind !== 'pattern') return path.kind === 'prefix' && path.ignoresCase === true ? '' : path.value
  if (path.value.includes('|') || path.value.startsWith('(?')) return ''
  const literal = /^(?:[\w/~%-]|\\[./-])*/.exec(path.value)![0]
  const isRepeated = /^[*?{]/.test(path.value.slice(literal.length))
  return literal.slice(0, isRepeated ? -1 : undefined).replaceAll(/\\(.)/g, '$1')
}

/** Paths at which it shows whom it leaves what. */
export function examplesOf(path: SourcePath): readonly string[] {
  const literal = path.kind === 'pattern' ? sampleOf(path.value) : path.value
  const some = [
    literal,
    literal.replace(/\/+$/, ''),
    `${literal.replace(/\/+$/, '')}/x`,
    `${literal}x`,
    `${literal}x/y`,
  ]
  return [...new Set(some)].filter(each => each.startsWith('/') && plainPath(each) === each)
}

/** Something that a simple expression fits; of others, anything. */
function sampleOf(expression: string): string {
  let text = expression
  for (let before = ''; before !== text;) {
    before = text
    text = text.replaceAll(/\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)[*+?]?/g, '$1')
  }
  return text
    .replaceAll(/\\d(?:[*+]|\{\d+(?:,\d*)?\})?/g, '1')
    .replaceAll(/\\[wS](?:[*+]|\{\d+(?:,\d*)?\})?/g, 'a')
    .replaceAll(/\[\^[^\]]*\][*+?]?/g, 'a')
    .replaceAll(/\[([^\]\\])[^\]]*\](?:[*+?]|\{\d+(?:,\d*)?\})?/g, '$1')
    .replaceAll(/\.[*+]/g, 'a')
    .replaceAll(/\\(.)/g, '$1')
    .replaceAll(/[?^$]/g, '')
}
