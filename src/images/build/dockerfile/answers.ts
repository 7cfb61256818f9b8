import { CommandError, MissingProgramError, run } from '../../../host/command.ts'

/** What a program answers; undefined where it is not there or refuses. */
export async function answers(program: string, ...args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(program, args, { timeoutMs: 10_000 })).stdout
  } catch (error) {
    if (error instanceof MissingProgramError || error instanceof CommandError) return undefined
    throw error
  }
}
