// Network links of the node (a bridge serves where others use a dummy link: every kernel has it), made with one `ip -batch` for everything that is missing.
import { networkInterfaces } from 'node:os'
import { CommandError, run } from './command.ts'

/** All IPv4 addresses that the machine has at the moment. */
export const machineAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap(
    entries => entries?.filter(({ family }) => family === 'IPv4').map(({ address }) => address) ?? [],
  )

export async function ipBatch(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` })
}

/** A bridge without ports that carries the node's address, so that the address is there whatever the machine's network does. */
export async function ensureNodeLink(name: string, address: string): Promise<void> {
  const present = networkInterfaces()[name]?.some(entry => entry.address === address) ?? false
  if (present) return
  try {
    await ipBatch([`link add ${name} type bridge`, `addr add ${address}/32 dev ${name}`, `link set ${name} up`])
  } catch (error) {
    if (!(error instanceof CommandError && error.stderr.includes('File exists'))) throw error
    await ipBatch([`addr replace ${address}/32 dev ${name}`, `link set ${name} up`])
  }
}

export async function removeLink(name: string): Promise<void> {
  await run('ip', ['link', 'delete', name]).catch((error: unknown) => {
    if (!(error instanceof CommandError && /Cannot find device/.test(error.stderr))) throw error
  })
}
