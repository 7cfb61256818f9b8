// Root's clusters cannot be looked into by others, and yet nobody should be told that nothing runs. A server
// holds a lock named after its state directory (src/host/lock.ts), which everybody can ask about.
import { CommandFailure } from '../cli/output.ts'
import { isLocked } from '../host/lock.ts'
import { stateDirectory } from './data-directory.ts'

/** @param command what to run as root instead. @throws CommandFailure for a user who is not root while root's cluster of this name runs */
export async function refuseOfRoot(name: string, command: string): Promise<void> {
  if (process.getuid?.() === 0 || !(await isLocked(stateDirectory(name, true)))) return
  throw new CommandFailure(
    `the cluster "${name}" runs on this machine, but it is root's, and only root can look into it or change it; run as root: sudo ${command}`,
  )
}

/** How a command is typed for a cluster of this name. */
export const withName = (command: string, name: string): string =>
  `${command}${name === 'sampan' ? '' : ` --name ${name}`}`
