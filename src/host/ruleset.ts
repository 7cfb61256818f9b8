// The machine's packet filter as programs print it: nftables tables, and the filter tables of iptables in both
// of its kinds (over nftables, and the older one of its own).
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CommandError, MissingProgramError, programPath, run } from './command.ts'

export interface TableName {
  readonly family: string
  readonly name: string
}

export type Iptables = 'iptables-nft' | 'iptables-legacy'

export async function listTables(): Promise<TableName[]> {
  const { nftables } = JSON.parse((await run('nft', ['-j', 'list', 'tables'])).stdout) as {
    nftables: { table?: TableName }[]
  }
  return nftables.flatMap(({ table }) => table ?? [])
}

/** As JSON, without the elements of sets, which may be very many. */
export async function listTable({ family, name }: TableName): Promise<{ nftables: object[] }> {
  return JSON.parse((await run('nft', ['-j', '-t', 'list', 'table', family, name])).stdout) as { nftables: object[] }
}

/** Asking iptables itself would make the table. */
export function hasLegacyFilter(): boolean {
  try {
    return readFileSync('/proc/net/ip_tables_names', 'utf8').split('\n').includes('filter')
  } catch {
    return false
  }
}

/** What `-S` prints; undefined: the program is missing, or the table holds what it does not understand. */
export async function listFilter(program: Iptables): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, ['-w', '5', '-S'])
    return `${stdout}${stderr}`.includes('incompatible') ? undefined : stdout
  } catch (error) {
    if (error instanceof MissingProgramError || error instanceof CommandError) return undefined
    throw error
  }
}

export async function changeFilter(program: Iptables, script: string): Promise<void> {
  await run(`${program}-restore`, ['-w', '5', '--noflush'], { input: script })
}

/** Tells each change of nftables as a line, from whoever; `onEnd` when it cannot go on. @returns how to stop it */
export function followRuleset(onLine: (line: string) => void, onEnd: () => void): () => void {
  const child = spawn('nft', ['monitor'], {
    env: { ...process.env, PATH: programPath() },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stopped = false
  createInterface({ input: child.stdout }).on('line', onLine)
  child.on('error', () => {}) // Followed by `close`.
  child.on('close', () => {
    if (!stopped) onEnd()
  })
  return () => {
    stopped = true
    child.kill()
  }
}
