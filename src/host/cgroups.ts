// How the machine's control groups are laid out, and removing the groups that ended pods leave behind.
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const mountPoint = '/sys/fs/cgroup'

export interface CgroupFacts {
  readonly version: 1 | 2
  /** The root of each hierarchy: one on version 2, one for each controller on version 1. */
  readonly roots: readonly string[]
}

export function cgroupFacts(): CgroupFacts {
  if (existsSync(join(mountPoint, 'cgroup.controllers'))) return { version: 2, roots: [mountPoint] }
  const roots = readdirSync(mountPoint, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => join(mountPoint, entry.name))
  return { version: 1, roots }
}

/** Removes the group and the groups below it from every hierarchy; groups with processes stay. */
export function removeCgroup(facts: CgroupFacts, group: string): void {
  for (const root of facts.roots) removeTree(join(root, group))
}

function removeTree(directory: string): void {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(directory, entry.name))
    rmdirSync(directory)
  } catch {
    // Not there, or still in use: the next pass meets it again.
  }
}
