// What the machine is: the facts a Node object reports.
import { readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, hostname, platform, release, totalmem } from 'node:os'

export interface MachineFacts {
  readonly hostname: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly diskBytes: number
  readonly kernelVersion: string
  readonly osImage: string
  readonly operatingSystem: string
  /** Go's name, as Kubernetes labels nodes: `amd64`, `arm64`. */
  readonly architecture: string
  readonly machineId: string
  readonly systemUuid: string
  readonly bootId: string
}

const goArchitectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
}

export function machineFacts(dataDirectory = '/'): MachineFacts {
  const disk = statfsSync(dataDirectory)
  const machineId = textOf('/etc/machine-id')
  return {
    hostname: hostname().toLowerCase(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: disk.blocks * disk.bsize,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(textOf('/etc/os-release'))?.[1] ?? 'Linux',
    operatingSystem: platform(),
    architecture: goArchitectures[arch()] ?? arch(),
    machineId,
    systemUuid: textOf('/sys/class/dmi/id/product_uuid') || machineId,
    bootId: textOf('/proc/sys/kernel/random/boot_id'),
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}
