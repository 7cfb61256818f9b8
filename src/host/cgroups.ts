// How the machine's control groups are laid out, what share of processors and memory a group gets, and removing
// the groups that ended pods leave behind.
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

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

/** What a group gets of the machine. */
export interface GroupShare {
  /** Weight beside its siblings, in version 1's shares: 2 to 262,144; 1,024 is usual. */
  readonly cpuShares: number
  readonly limits?: GroupLimits
}

/** What is absent is unlimited. */
export interface GroupLimits {
  /** Microseconds of processor time in each tenth of a second. */
  readonly cpuQuota?: number
  readonly memoryBytes?: number
}

export interface GroupFile {
  readonly controller: 'cpu' | 'memory'
  readonly file: string
  readonly value: string
}

export const cpuPeriodMicroseconds = 100_000

/** Which files of a group say that, in the order in which they are to be written. Pure. */
export function groupFiles(version: 1 | 2, { cpuShares, limits }: GroupShare): GroupFile[] {
  const cpu = (file: string, value: string): GroupFile => ({ controller: 'cpu', file, value })
  const memory = (file: string, value: string): GroupFile => ({ controller: 'memory', file, value })
  if (version === 1)
    return [
      cpu('cpu.shares', String(cpuShares)),
      ...(limits === undefined
        ? []
        : [
            cpu('cpu.cfs_period_us', String(cpuPeriodMicroseconds)),
            cpu('cpu.cfs_quota_us', String(limits.cpuQuota ?? -1)),
            memory('memory.limit_in_bytes', String(limits.memoryBytes ?? -1)),
          ]),
    ]
  return [
    cpu('cpu.weight', String(Math.floor(1 + ((cpuShares - 2) * 9_999) / 262_142))),
    ...(limits === undefined
      ? []
      : [
          cpu('cpu.max', `${limits.cpuQuota ?? 'max'} ${cpuPeriodMicroseconds}`),
          memory('memory.max', String(limits.memoryBytes ?? 'max')),
        ]),
  ]
}

/**
 * Makes the group where it is missing and gives it its share. Everything that the machine can do is done, also
 * when it cannot do all. @throws Error (errno), the first one, where the machine refuses something
 */
export function shareOut({ version, roots }: CgroupFacts, group: string, share: GroupShare): void {
  const faults: unknown[] = []
  for (const { controller, file, value } of groupFiles(version, share)) {
    const root = version === 2 ? roots[0] : roots.find(candidate => basename(candidate).split(',').includes(controller))
    if (root === undefined) continue
    try {
      mkdirSync(join(root, group), { recursive: true })
      if (version === 2) handDown(root, group, controller)
      writeFileSync(join(root, group, file), value)
    } catch (error) {
      faults.push(error)
    }
  }
  if (faults.length > 0) throw faults[0]
}

/** A group has the controls that the one above hands down. */
function handDown(root: string, group: string, controller: string): void {
  const above: string[] = []
  for (let parent = dirname(join(root, group)); parent.length >= root.length; parent = dirname(parent))
    above.unshift(parent)
  for (const parent of above) writeFileSync(join(parent, 'cgroup.subtree_control'), `+${controller}`)
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
