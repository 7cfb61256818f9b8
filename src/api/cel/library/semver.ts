// Semantic versions 2.0.0.
import { EvaluationError } from '../cel-error.ts'
import { fixed, overload, type Overload } from '../functions.ts'
import { OpaqueValue } from '../values.ts'
import { traversal } from './standard.ts'

const pattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/

class SemverValue extends OpaqueValue {
  readonly type = 'kubernetes.Semver'
  readonly numbers: readonly bigint[]
  readonly prerelease: readonly string[]

  constructor(numbers: readonly bigint[], prerelease: readonly string[]) {
    super()
    this.numbers = numbers
    this.prerelease = prerelease
  }

  equals(other: OpaqueValue): boolean {
    return other instanceof SemverValue && compare(this, other) === 0n
  }
}

/** `v1.2` becomes `1.2.0`. */
function normalized(text: string): string {
  const [, main = '', rest = ''] = /^v?(\d+(?:\.\d+){0,2})(.*)$/s.exec(text) ?? []
  const numbers = main.split('.').map(number => number.replace(/^0+(?=\d)/, ''))
  return main === '' ? text : `${[...numbers, '0', '0'].slice(0, 3).join('.')}${rest}`
}

function versionOf(text: string, normalize: boolean): SemverValue | undefined {
  const match = pattern.exec(normalize ? normalized(text) : text)
  return match === null ? undefined : new SemverValue(match.slice(1, 4).map(BigInt), match[4]?.split('.') ?? [])
}

function semver(text: string, normalize = false): SemverValue {
  const version = versionOf(text, normalize)
  if (version === undefined) throw new EvaluationError(`not a semantic version: ${JSON.stringify(text)}`)
  return version
}

function compare(a: SemverValue, b: SemverValue): bigint {
  for (const [index, number] of a.numbers.entries())
    if (number !== b.numbers[index]) return number < b.numbers[index]! ? -1n : 1n
  if (a.prerelease.length === 0 || b.prerelease.length === 0)
    return BigInt(Math.sign(b.prerelease.length - a.prerelease.length))
  for (const [index, part] of a.prerelease.entries()) {
    const other = b.prerelease[index]
    if (other === undefined) return 1n
    const order = compareParts(part, other)
    if (order !== 0n) return order
  }
  return a.prerelease.length < b.prerelease.length ? -1n : 0n
}

function compareParts(a: string, b: string): bigint {
  const [left, right] = [a, b].map(part => (/^\d+$/.test(part) ? BigInt(part) : undefined))
  if (left !== undefined && right !== undefined) return left < right ? -1n : left > right ? 1n : 0n
  if (left !== undefined || right !== undefined) return left === undefined ? 1n : -1n
  return a < b ? -1n : a > b ? 1n : 0n
}

const one = fixed(1)

export const semverFunctions: readonly Overload[] = [
  overload('semver(string): kubernetes.Semver', (text: string) => semver(text), traversal(0)),
  overload(
    'semver(string, bool): kubernetes.Semver',
    (text: string, normalize: boolean) => semver(text, normalize),
    traversal(0),
  ),
  overload('isSemver(string): bool', (text: string) => versionOf(text, false) !== undefined, traversal(0)),
  overload(
    'isSemver(string, bool): bool',
    (text: string, normalize: boolean) => versionOf(text, normalize) !== undefined,
    traversal(0),
  ),
  overload('kubernetes.Semver::major(): int', ({ numbers }: SemverValue) => numbers[0]!, one),
  overload('kubernetes.Semver::minor(): int', ({ numbers }: SemverValue) => numbers[1]!, one),
  overload('kubernetes.Semver::patch(): int', ({ numbers }: SemverValue) => numbers[2]!, one),
  overload('kubernetes.Semver::compareTo(kubernetes.Semver): int', compare, one),
  overload(
    'kubernetes.Semver::isGreaterThan(kubernetes.Semver): bool',
    (a: SemverValue, b: SemverValue) => compare(a, b) > 0n,
    one,
  ),
  overload(
    'kubernetes.Semver::isLessThan(kubernetes.Semver): bool',
    (a: SemverValue, b: SemverValue) => compare(a, b) < 0n,
    one,
  ),
]
