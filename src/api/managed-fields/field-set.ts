// Sets of fields in the form in which metadata.managedFields stores them (FieldsV1): nested maps whose
// keys are `f:name`, `k:{"key":value}` or `v:value`; a node without children is a member, a node with
// children is one when it has the key `.`. Sets are values: no function here changes its arguments.
import { parseExactJson } from '../../lib/exact-json.ts'

export interface FieldSet {
  readonly [element: string]: FieldSet
}

/** A member without children, and also the empty set. */
export const leaf: FieldSet = Object.freeze({})

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

export const isMember = (node: FieldSet): boolean => '.' in node || isEmpty(node)

const orEmpty = (node: Record<string, FieldSet>): FieldSet | undefined => (isEmpty(node) ? undefined : node)

/** A node of these children that is a member or not; undefined when nothing is left. */
function nodeOf(member: boolean, children: Record<string, FieldSet>): FieldSet | undefined {
  if (isEmpty(children)) return member ? leaf : undefined
  if (member) children['.'] = leaf
  return children
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a
  if (isEmpty(a)) return b
  const merged: Record<string, FieldSet> = { ...a }
  for (const key in b) {
    const mine = a[key]
    merged[key] = mine === undefined ? b[key]! : key === '.' ? leaf : unionNodes(mine, b[key]!)
  }
  return merged
}

/** Unlike whole sets, an empty node is a member: it must not vanish in the union. */
function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  const merged = union(a, b)
  return (isEmpty(a) || isEmpty(b)) && !isEmpty(merged) && !('.' in merged) ? { '.': leaf, ...merged } : merged
}

/** Members of `a` that are not members of `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inB, node, other) => {
    if (!inB) return node
    const member = isMember(node) && !isMember(other!)
    return nodeOf(member, children(node, other, difference))
  })
}

/** What is in `a` and not at or below a member of `b`. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inB, node, other) => {
    if (!inB) return node
    if (isMember(other!)) return undefined
    return nodeOf(isMember(node), children(node, other, recursiveDifference))
  })
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inB, node, other) => {
    if (!inB) return undefined
    return nodeOf(isMember(node) && isMember(other!), children(node, other, intersection))
  })
}

type Combine = (inB: boolean, node: FieldSet, other: FieldSet | undefined) => FieldSet | undefined

function combine(a: FieldSet, b: FieldSet, decide: Combine): FieldSet {
  const result: Record<string, FieldSet> = {}
  for (const key in a) {
    if (key === '.') continue
    const kept = decide(key in b, a[key]!, b[key])
    if (kept !== undefined) result[key] = kept
  }
  return orEmpty(result) ?? leaf
}

function children(
  node: FieldSet,
  other: FieldSet | undefined,
  operation: (a: FieldSet, b: FieldSet) => FieldSet,
): Record<string, FieldSet> {
  const kept = operation(node, other ?? leaf)
  return isEmpty(kept) ? {} : { ...kept }
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  let size = 0
  for (const key in a) {
    size++
    if (!(key in b) || !equalSets(a[key]!, b[key]!)) return false
  }
  for (const _ in b) size--
  return size === 0
}

/** The paths of all members in a steady order, as Kubernetes prints them: `.spec.containers[name="c"].image`. */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  const keys = Object.keys(set)
    .filter(key => key !== '.')
    .sort()
  const members = keys.filter(key => isMember(set[key]!)).map(key => prefix + elementText(key))
  return [...members, ...keys.flatMap(key => pathsOf(set[key]!, prefix + elementText(key)))]
}

function elementText(element: string): string {
  const body = element.slice(2)
  if (element.startsWith('f:')) return `.${body}`
  if (element.startsWith('v:')) return `[=${body}]`
  const keys = parseExactJson(body) as Record<string, unknown>
  return `[${Object.keys(keys)
    .map(key => `${key}=${JSON.stringify(keys[key])}`)
    .join(',')}]`
}

/** A set of whole fields from their paths: `[['status'], ['metadata', 'labels']]`. */
export function setOfPaths(paths: readonly (readonly string[])[]): FieldSet {
  let set = leaf
  for (const path of paths)
    set = union(
      set,
      path.reduceRight<FieldSet>((inner, name) => ({ [`f:${name}`]: inner }), leaf),
    )
  return set
}
