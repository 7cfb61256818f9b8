// How the machine's control groups are laid out, what share of the processors a group gets, and removing the
// groups that ended pods leave behind.
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const mountPoint = '/sys/fs/cgroup'

export interface CgroupFacts {
  readonly version: 1 | 2
  /** The root of each hierarchy: one on version 2, one for each controller on version 1. */
  readonly roots: readonly string[]
}

export function cgroupFacts(root = mountPoint): CgroupFacts {
  if (existsSync(join(root, 'cgroup.controllers'))) return { version: 2, roots: [root] }
  const roots = readdirSync(root, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => join(root, entry.name))
  return { version: 1, roots }
}

/**
 * Makes the group where it is missing and gives it its weight beside its siblings, in version 1's shares
 * (2 to 262,144; 1,024 is usual). @throws Error (errno) where the machine has no such control
 */
export function setCpuShares({ version, roots }: CgroupFacts, group: string, shares: number): void {
  if (version === 2) return setWeight(roots[0]!, group, Math.floor(1 + ((shares - 2) * 9_999) / 262_142))
  const root = roots.find(candidate => existsSync(join(candidate, 'cpu.shares')))
  if (root === undefined) return
  mkdirSync(join(root, group), { recursive: true })
  writeFileSync(join(root, group, 'cpu.shares'), String(shares))
}

/** A group has the controls that the one above hands down. */
function setWeight(root: string, group: string, weight: number): void {
  mkdirSync(join(root, group), { recursive: true })
  const above: string[] = []
  for (let parent = dirname(join(root, group)); parent.length >= root.length; parent = dirname(parent))
    above.unshift(parent)
  for (const parent of above) writeFileSync(join(parent, 'cgroup.subtree_control'), '+cpu')
  writeFileSync(join(root, group, 'cpu.weight'), String(weight))
}

/** Removes the group and the groups below it from every hierarchy; groups with processes stay. */
export function removeCgroup(facts: CgroupFacts, group: string): void {
  for (const root of facts.roots) removeTree(join(root, group))
}

function removeTree(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(directory, entry.name))
    rmdirSync(directory)
  } catch {
    // Not there, or still in use: the next pass meets it again.
  }
}
