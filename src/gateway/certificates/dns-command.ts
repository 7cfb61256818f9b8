// Records in DNS, made and taken away by a program that the machine's administrator named. It gets what the authority wants
// to see as words, never through a shell.
import { CommandError, run } from '../../host/command.ts'
import { errorText } from '../../lib/error-text.ts'
import { AttemptFailed } from './attempt-failed.ts'

const patienceMs = 300_000
const longestWords = 1_000

/** @param record `_acme-challenge.test.example.com` @throws AttemptFailed */
export async function dnsCommand(
  program: string | undefined,
  what: 'add' | 'remove',
  record: string,
  value: string,
): Promise<void> {
  if (program === undefined)
    throw new AttemptFailed(
      'CommandFailed',
      'nothing makes records in DNS here: start the cluster with --acme-dns-command PROGRAM',
    )
  try {
    await run(program, [what, record, value], { timeoutMs: patienceMs })
  } catch (error) {
    throw new AttemptFailed('CommandFailed', `${program} ${what} ${record}: ${wordsOf(error)}`)
  }
}

function wordsOf(error: unknown): string {
  if (!(error instanceof CommandError)) return errorText(error)
  const { exitCode, signal, output } = error
  const how = signal === null ? `exit code ${exitCode}` : `ended by ${signal}, after five minutes at most`
  return `${how}: ${output.trim().slice(-longestWords) || 'it said nothing'}`
}
