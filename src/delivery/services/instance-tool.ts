// Runs the field's own programs in an instance of a managed server, where they are of the server's own version. What
// they are told in secret is read by a shell from their input, in front of the data: it stands in no command line.
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Engine } from '../engine/engine.ts'
import type { Place } from '../engine/parts.ts'
import { ServiceFailure, type RunTool, type Tool } from './backing-service.ts'
import { between } from './between.ts'
import { toolFailed } from './machine-tool.ts'

/** The server is reached by it as 127.0.0.1, on its own port. */
export const instanceTool =
  (engine: Pick<Engine, 'exec'>, place: Place, instance: string, signal: AbortSignal): RunTool =>
  async tool => {
    const { programs, output } = tool
    const run = async (command: readonly string[], input: Readable | undefined, to: Writable): Promise<Ran> => {
      let words = ''
      const errors = new Writable({
        write(chunk: Buffer, _encoding, done) {
          words = `${words}${chunk.toString()}`.slice(-2000)
          done()
        },
      })
      const terminal = { ...(input !== undefined && { input }), output: to, errors, raw: false, signal }
      return { code: await engine.exec(place, { instance, command, terminal }), words }
    }
    for (const program of programs) {
      // Before any byte of the input is used up.
      const { code: missing } = await run(['sh', '-c', 'command -v "$1"', 'sh', program], undefined, discarded())
      if (missing !== 0) continue
      const written = output === undefined ? discarded() : new PassThrough()
      const copied = output === undefined ? undefined : pipeline(written as PassThrough, output)
      // It fails with whatever is thrown below, too.
      copied?.catch(() => {})
      const command = ['sh', '-c', script(tool), 'sh', program, ...tool.arguments]
      const { code, words } = await run(command, secretsFirst(tool), written)
      if (code !== 0) throw new ServiceFailure(toolFailed(`${program} in ${instance}`, code, words))
      written.end()
      await copied
      return
    }
    throw new ServiceFailure(
      `${programs.join(' or ')} was not found in ${instance}; the image of the server is to have it (Debian's ${tool.package})`,
    )
  }

interface Ran {
  readonly code: number
  readonly words: string
}

const discarded = (): Writable => new Writable({ write: (_chunk, _encoding, done) => done() })

/** A shell reads single characters from a pipe, so what follows the lines is the program's. */
const script = ({ variables, input }: Tool): string =>
  [
    ...Object.keys(variables).map(name => `IFS= read -r ${name} || exit 1; export ${name}`),
    input === undefined ? writing : reading,
  ].join('\n')

/**
 * Nobody takes the output any more when whoever asked is gone: a program would wait for ever, and hold what it has in the
 * server. Its input ends then, which ends it; of its words there are never more than a pipe takes.
 */
const reading = `
exec 3>&1
code=$({ { "$@" 2>&1 >&3 3>&- 4>&-; echo $? >&4; } | tail -c 2000 >&2 3>&- 4>&-; } 4>&1)
exit "$code"`

/**
 * It reads nothing, so its input tells whether somebody is there. The watcher is waited for: whatever is left over becomes
 * a child of the instance's first process, and PostgreSQL takes one that ends by a signal for a crash of its own.
 */
const writing = `
exec 4<&0
"$@" </dev/null 4<&- &
program=$!
(read -r end <&4; kill "$program") >/dev/null 2>&1 &
watcher=$!
code=0
wait "$program" || code=$?
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$code"`

function secretsFirst({ variables, input }: Tool): Readable {
  for (const [name, value] of Object.entries(variables))
    if (value.includes('\n')) throw new ServiceFailure(`the value of ${name} has lines, and only one can be told`)
  const lines = Object.values(variables)
    .map(value => `${value}\n`)
    .join('')
  if (input !== undefined) return Readable.from(between(lines, input))
  const open = new PassThrough()
  open.write(lines)
  return open
}
