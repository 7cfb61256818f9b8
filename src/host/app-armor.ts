// Whether containers can be put under AppArmor profiles here, as containerd sees it: the kernel has it switched on,
// and the program that loads profiles is installed.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @param root of the file system, @param container what runs this system as a container, if anything does */
export function isAppArmorEnabled(root = '/', container = process.env['container'] ?? ''): boolean {
  const files = ['sys/kernel/security/apparmor', 'sbin/apparmor_parser']
  if (container !== '' || !files.every(file => existsSync(join(root, file)))) return false
  try {
    return readFileSync(join(root, 'sys/module/apparmor/parameters/enabled'), 'utf8').startsWith('Y')
  } catch {
    return false
  }
}
