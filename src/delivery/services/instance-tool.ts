// Runs the field's own programs in an instance of a managed server, where they are of the server's own version. What
// they are told in secret is read by a shell from their input, in front of the data: it stands in no command line.
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Engine } from '../engine/engine.ts'
import type { Place } from '../engine/parts.ts'
import { ServiceFailure, type RunTool } from './backing-service.ts'
import { withFirst } from './first-bytes.ts'
import { toolFailed } from './machine-tool.ts'

/** The server is reached by it as 127.0.0.1, on its own port. */
export const instanceTool =
  (engine: Pick<Engine, 'exec'>, place: Place, instance: string, signal: AbortSignal): RunTool =>
  async ({ programs, arguments: args, variables, input, output }) => {
    const values = Object.values(variables)
    if (values.some(value => value.includes('\n')))
      throw new ServiceFailure(`${programs[0]}: a value with a line break was found; passwords and names have none`)
    let words = ''
    const errors = new Writable({
      write(chunk, _encoding, done) {
        words = `${words}${chunk}`.slice(-2000)
        done()
      },
    })
    const written = new PassThrough()
    const copied = output === undefined ? undefined : pipeline(written, output)
    // Also when nobody waits for it any more.
    copied?.catch(() => {})
    if (copied === undefined) written.resume()
    const lines = values.map(value => `${value}\n`).join('')
    const code = await engine.exec(place, {
      instance,
      command: ['sh', '-c', script(programs, Object.keys(variables)), programs[0]!, ...args],
      terminal: {
        input: Readable.from(withFirst(lines, input ?? Readable.from([]))),
        output: written,
        errors,
        raw: false,
        signal,
      },
    })
    if (code !== 0) throw new ServiceFailure(toolFailed(programs[0]!, code, words))
    written.end()
    await copied
  }

/** A shell reads single characters from a pipe, so what follows the lines is the program's. */
const script = (programs: readonly string[], names: readonly string[]): string =>
  [
    ...names.map(name => `IFS= read -r ${name} && export ${name} || exit 1`),
    ...programs.map(program => `command -v ${program} > /dev/null && exec ${program} "$@"`),
    `echo "${programs.join(' or ')} was not found in this image" >&2`,
    'exit 127',
  ].join('\n')
