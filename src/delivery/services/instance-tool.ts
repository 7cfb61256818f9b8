// Runs the field's own programs in an instance of a managed server, where they are of the server's own version. What
// they are told in secret is read by a shell from their input, in front of the data: it stands in no command line.
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Engine } from '../engine/engine.ts'
import type { Place } from '../engine/parts.ts'
import { ServiceFailure, type RunTool, type Tool } from './backing-service.ts'
import { withFirst } from './first-bytes.ts'
import { toolFailed } from './machine-tool.ts'

/** The server is reached by it as 127.0.0.1, on its own port. */
export const instanceTool =
  (engine: Pick<Engine, 'exec'>, place: Place, instance: string, signal: AbortSignal): RunTool =>
  async tool => {
    const { programs, variables, output } = tool
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
      const command = ['sh', '-c', script(Object.keys(variables)), 'sh', program, ...tool.arguments]
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
const script = (names: readonly string[]): string =>
  [...names.map(name => `IFS= read -r ${name} || exit 1; export ${name}`), 'exec "$@"'].join('\n')

function secretsFirst({ variables, input = Readable.from([]) }: Tool): Readable {
  for (const [name, value] of Object.entries(variables))
    if (value.includes('\n')) throw new ServiceFailure(`the value of ${name} has lines, and only one can be told`)
  const lines = Object.values(variables).map(value => `${value}\n`)
  return Readable.from(withFirst(lines.join(''), input))
}
