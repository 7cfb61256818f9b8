// Kernel settings, written through /proc/sys. They hold for the network namespace of this process.
import { readFileSync, writeFileSync } from 'node:fs'

const fileOf = (name: string): string => `/proc/sys/${name.replaceAll('.', '/')}`

/** `net.ipv4.ip_forward`; undefined where the kernel does not have it. */
export function readSysctl(name: string): string | undefined {
  try {
    return readFileSync(fileOf(name), 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Sets what differs. @throws when the kernel refuses */
export function writeSysctls(settings: Readonly<Record<string, string | number>>): void {
  for (const [name, value] of Object.entries(settings)) {
    if (readSysctl(name) !== String(value)) writeFileSync(fileOf(name), String(value))
  }
}
