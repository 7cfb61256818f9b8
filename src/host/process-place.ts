// Where the processes and control groups of a cluster are. With systemd and version 2 of control groups it is a
// scope below sampan.slice, named after the cluster: the session or service that a cluster was started from may
// end without ending it, and a shutdown ends what is in the scope instead of waiting for it. The scope is
// delegated, so the groups below it are ours. In a container pods are below the container's own group. On other
// machines processes stay where they were started.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupFacts, removeCgroup, type CgroupFacts } from './cgroups.ts'

/** What pods get to end when the machine goes down and nobody has stopped them: the grace they have by default. */
const stopSeconds = 30
const slice = 'sampan.slice'
const goneWithinMs = 2_000

export interface Machine {
  readonly hasSystemd: boolean
  readonly cgroups: CgroupFacts
  /** The group of the first process, as a path below each hierarchy's root; in a container that is the container's. */
  readonly firstGroup: string
}

function thisMachine(): Machine {
  const cgroups = cgroupFacts()
  return { hasSystemd: hasSystemd(), cgroups, firstGroup: cgroups.version === 2 ? groupOf(1) : '/' }
}

/** On version 2. */
const groupOf = (pid: number): string => /^0::(\/.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '/'

/** Whether systemd runs this machine. Source: sd_booted(3). */
export const hasSystemd = (): boolean => existsSync('/run/systemd/system')

/** Name of the cluster's units, without their ending. */
const unitName = (cluster: string): string => (cluster === 'sampan' ? 'sampan' : `sampan-${cluster}`)

/** The unit that starts the cluster at boot, where it is installed. */
export const serviceName = (cluster: string): string => `${unitName(cluster)}.service`

export class ProcessPlace {
  /** The group above those of all pods, as a path below each hierarchy's root. */
  readonly podGroup: string
  private readonly machine: Machine
  private readonly unit: string
  private readonly service: string
  /** The scope's directory; undefined on a machine without scopes. */
  private readonly directory: string | undefined

  constructor(cluster: string, machine: Machine = thisMachine()) {
    this.machine = machine
    this.unit = `${unitName(cluster)}.scope`
    this.service = serviceName(cluster)
    const hasScope = machine.hasSystemd && machine.cgroups.version === 2
    this.directory = hasScope ? join(machine.cgroups.roots[0]!, slice, this.unit) : undefined
    this.podGroup = hasScope ? `/${slice}/${this.unit}/pods` : join(ownGroup(machine), 'sampan', cluster)
  }

  /** How to start a program so that it comes into the scope. It has the same process id, streams and namespaces. */
  command(program: string, args: readonly string[]): [program: string, args: string[]] {
    if (this.directory === undefined || isPopulated(this.directory)) return [program, [...args]]
    const properties = [
      'Delegate=yes',
      'TasksMax=infinity',
      `TimeoutStopSec=${stopSeconds}`,
      // At a shutdown the service comes to its end first and finds its containers alive. A dependency that the
      // service declared would keep a scope that has ended from being made again.
      `Before=${this.service}`,
    ]
    return [
      'systemd-run',
      [
        '--scope',
        '--quiet',
        '--collect',
        `--slice=${slice}`,
        `--unit=${this.unit}`,
        ...properties.flatMap(property => ['--property', property]),
        '--',
        program,
        ...args,
      ],
    ]
  }

  /**
   * Moves a process into a group of its own inside the scope: controls are handed down only by groups without
   * processes. Nothing happens where there is no scope.
   */
  settle(pid: number, group: 'gateway' | 'runtime' | 'server'): void {
    if (this.directory === undefined || !existsSync(this.directory)) return
    mkdirSync(join(this.directory, group), { recursive: true })
    writeFileSync(join(this.directory, group, 'cgroup.procs'), String(pid))
  }

  /** Takes the groups away that ended pods and processes have left; resolves when the scope is gone. */
  async clear(): Promise<void> {
    removeCgroup(this.machine.cgroups, this.podGroup)
    if (this.directory === undefined) return removeShared(this.machine)
    for (let waitedMs = 0; waitedMs < goneWithinMs && existsSync(this.directory); waitedMs += 20) await sleep(20)
  }
}

/** Clusters side by side have it in common; the last one takes it away. */
function removeShared(machine: Machine): void {
  for (const root of machine.cgroups.roots)
    try {
      rmdirSync(join(root, ownGroup(machine), 'sampan'))
    } catch {
      // In use, or not there.
    }
}

/** Whether a process is in the group or below it. */
function isPopulated(directory: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(join(directory, 'cgroup.events'), 'utf8'))
  } catch {
    return false
  }
}

/** Where a container's processes are, out of the way of its pods. */
const processGroup = 'sampan-processes'

/** The container's group: the one above, once its processes have made room. */
const ownGroup = ({ firstGroup }: Machine): string =>
  basename(firstGroup) === processGroup ? dirname(firstGroup) : firstGroup

/**
 * The group of a container has its processes in it, and so could not hand controls down to those of pods: they are
 * moved into one beside the pods'. Nothing happens on machines.
 */
export function leaveContainerGroup(machine: Machine = thisMachine()): void {
  const { hasSystemd: isManaged, cgroups } = machine
  const own = join(cgroups.roots[0] ?? '', ownGroup(machine))
  // Only the machine's real root has no type, and may have processes beside groups.
  if (isManaged || cgroups.version === 1 || !existsSync(join(own, 'cgroup.type'))) return
  mkdirSync(join(own, processGroup), { recursive: true })
  for (const pid of readFileSync(join(own, 'cgroup.procs'), 'utf8')
    .split('\n')
    .filter(line => line !== ''))
    try {
      writeFileSync(join(own, processGroup, 'cgroup.procs'), pid)
    } catch {
      // It has ended meanwhile.
    }
}
