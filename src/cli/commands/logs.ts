// `sampan logs -e ENVIRONMENT NAME [INSTANCE]`: what instances wrote, merged by time.
import { once } from 'node:events'
import type { LogLine } from '../../delivery/engine/engine.ts'
import { isNothing } from '../../delivery/service-state.ts'
import { placeOf } from '../environment-services.ts'
import { namedInstance } from '../instance-of.ts'
import { LogText } from '../log-text.ts'
import { lookAt, withTarget } from '../looking.ts'
import { CommandFailure } from '../output.ts'
import { stopSignal, untilStopped } from '../stop-signal.ts'
import type { TargetOptions } from '../target.ts'
import { secondsOfSpan } from '../time-span.ts'

export interface LogsOptions extends TargetOptions {
  readonly file?: string
  readonly follow?: boolean
  readonly previous?: boolean
  /** As `10m`. */
  readonly since?: string
  readonly tail?: number
  readonly task?: string
  readonly output?: 'json'
}

export async function logs(service: string, instance: string | undefined, options: LogsOptions): Promise<void> {
  const sinceSeconds = options.since === undefined ? undefined : secondsOfSpan(options.since)
  if (options.since !== undefined && sinceSeconds === undefined)
    throw new CommandFailure(`--since: expected a time such as 45s, 10m, 2h30m or 1d, found "${options.since}"`)
  if (options.follow && options.previous)
    throw new CommandFailure('--previous shows runs that have ended, so there is nothing to follow; leave out --follow')
  await withTarget(options, async target => {
    const place = placeOf(service, target, options.file)
    const [looked] = await lookAt(target, [place])
    const { observed } = looked!
    const only = instance === undefined ? undefined : namedInstance(instance, looked!)
    if (isNothing(looked!) || (observed.workloads.length === 0 && options.task === undefined))
      throw new CommandFailure(
        `"${service}" has no instances in the environment "${place.environment}" (namespace ${place.namespace})`,
      )
    const workload = observed.workloads.find(({ instances }) => instances.some(({ name }) => name === only))
    const stop = stopSignal(process.stdout)
    const lines = target.engine.logs(place, {
      ...(workload !== undefined && { workloads: [workload.name] }),
      ...(options.task !== undefined && { task: options.task }),
      follow: options.follow ?? false,
      previous: options.previous ?? false,
      ...(sinceSeconds !== undefined && { sinceSeconds }),
      ...(options.tail !== undefined && { tail: options.tail }),
      signal: stop.signal,
    })
    await untilStopped(stop, () => show(lines, only, options.output, stop.signal))
  })
}

async function show(
  lines: AsyncIterable<LogLine>,
  only: string | undefined,
  format: LogsOptions['output'],
  signal: AbortSignal,
): Promise<void> {
  const text = new LogText(process.stdout.isTTY && process.env['NO_COLOR'] === undefined)
  for await (const line of lines) {
    if (signal.aborted) return
    if (only !== undefined && line.instance !== only) continue
    const shown = format === 'json' ? JSON.stringify(line) : only === undefined ? text.of(line) : line.text
    if (!process.stdout.write(`${shown}\n`)) await once(process.stdout, 'drain', { signal })
  }
}
