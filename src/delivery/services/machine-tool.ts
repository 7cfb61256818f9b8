// Runs the field's own programs on this machine. What they are told in secret goes through their environment, which
// only their user can read.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { ServiceFailure, type Reached, type Tool } from './backing-service.ts'

/** @throws ServiceFailure */
export async function machineTool(tool: Tool): Promise<void> {
  for (const program of tool.programs) if (await ran(program, tool)) return
  throw new ServiceFailure(
    `${tool.programs.join(' or ')} was not found on this machine; install it with: apt-get install ${tool.package}`,
  )
}

/** @returns false when there is no such program */
async function ran(program: string, { arguments: args, variables, input, output }: Tool): Promise<boolean> {
  const child = spawn(program, args, {
    env: { ...process.env, ...variables },
    stdio: [input === undefined ? 'ignore' : 'pipe', output === undefined ? 'ignore' : 'pipe', 'pipe'],
  })
  try {
    await once(child, 'spawn')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  let words = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    words = `${words}${chunk}`.slice(-2000)
  })
  const closed = once(child, 'close') as Promise<[number | null, string | null]>
  const streams = await Promise.allSettled([
    // A program that fails may end without having read all; its words say more than the broken pipe.
    ...(input === undefined ? [] : [pipeline(input, child.stdin!)]),
    ...(output === undefined ? [] : [pipeline(child.stdout!, output)]),
  ])
  const [code, signal] = await closed
  const broken = streams.flatMap(stream => (stream.status === 'rejected' ? [stream.reason as Error] : []))
  // What was to be its input is no such thing: that is why it failed, if it did.
  const refused = broken.find(error => error instanceof ServiceFailure)
  if (refused !== undefined) throw refused
  if (code !== 0) throw new ServiceFailure(toolFailed(program, code ?? signal ?? 'nothing', words))
  for (const error of broken) throw error
  return true
}

export const toolFailed = (program: string, result: string | number, words: string): string =>
  `${program} ended with ${result}: ${words.trim() || 'it said nothing'}`

/** What tools take as a file only. */
export async function withAuthorityFile<T>({ authority }: Reached, use: (file?: string) => Promise<T>): Promise<T> {
  if (authority === undefined) return use()
  const directory = await mkdtemp(join(tmpdir(), 'sampan-authority-'))
  try {
    const file = join(directory, 'ca.pem')
    await writeFile(file, authority)
    return await use(file)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
