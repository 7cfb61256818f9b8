// Before what cannot be undone: a person types the name of what is taken away, a script says `--yes`.
import { createInterface } from 'node:readline/promises'
import { CommandFailure } from './output.ts'

/** @param what as `the service hcn in test, with its data` @throws CommandFailure when it is not wanted */
export async function confirm(what: string, name: string, yes: boolean | undefined): Promise<void> {
  if (yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandFailure(`this would take away ${what}, and there is nobody to ask; if it is meant, add --yes`)
  const questions = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await questions.question(`This takes away ${what}. Type "${name}" to go on: `)
    if (answer.trim() !== name)
      throw new CommandFailure(`expected "${name}", found "${answer.trim()}"; nothing was changed`)
  } finally {
    questions.close()
  }
}
