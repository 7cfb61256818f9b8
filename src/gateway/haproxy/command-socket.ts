// HAProxy's commands, over its socket: many in one connection, in their order, and what each answered. A command may have
// lines behind it that belong to it, such as a certificate; it then stands alone.
import { connect } from 'node:net'

export interface CommandAnswer {
  readonly command: string
  readonly text: string
}

/** What fits into HAProxy's buffer for one line of commands, with room to spare. */
const lineBytes = 8_000
const silenceMs = 5_000

/** @throws Error when nobody answers */
export async function runCommands(socketPath: string, commands: readonly string[]): Promise<readonly CommandAnswer[]> {
  const answers: CommandAnswer[] = []
  for (const batch of batches(commands)) {
    const texts = (await exchange(socketPath, batch)).split('\n\n')
    batch.forEach((command, index) => answers.push({ command, text: (texts[index] ?? '').trim() }))
  }
  return answers
}

/** The end of a line of commands; lines that belong to one end with an empty one. */
const lineEnd = '\n'

/** Several commands in a line are answered one after the other, each answer with an empty line behind it. */
function* batches(commands: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const command of commands) {
    const hasLines = command.includes(lineEnd)
    if ((hasLines || bytes + command.length > lineBytes) && batch.length > 0) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(command)
    bytes += hasLines ? lineBytes : command.length + 1
  }
  if (batch.length > 0) yield batch
}

function exchange(socketPath: string, commands: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect(socketPath)
    socket.setTimeout(silenceMs, () => socket.destroy(new Error(`${socketPath} did not answer within ${silenceMs} ms`)))
    socket.on('error', reject)
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('end', () => resolve(Buffer.concat(parts).toString()))
    socket.end(`${commands.join(';')}${lineEnd}`)
  })
}
