// From the end of a process, of which only an id is told, to the event that the agent needs. The news overtakes
// the runtime's own book-keeping, by milliseconds or on a busy machine by seconds: it is passed on once the
// runtime's answers show it, so that whoever hears it can ask what became of the container.
import type { ContainerState, RuntimeEvent } from './runtime.ts'

export interface EndOfProcess {
  readonly id: string
  /** Undefined: the runtime does not know the container, or the sandbox. @throws Error when it does not answer */
  readonly containerState: (id: string) => Promise<ContainerState | undefined>
  readonly sandboxReady: (id: string) => Promise<boolean | undefined>
  /** What the id is, as far as it is known; sandboxes end with the same kind of news as containers. */
  readonly isContainer: boolean
  readonly sleep: (milliseconds: number) => Promise<void>
  readonly isClosed: () => boolean
}

const firstPauseMs = 2
const longestPauseMs = 1_000
/** Longer than this, and the list that is made every minute finds it. */
const limitMs = 60_000

/** @returns undefined when there is nothing to tell: what ended is gone, or never shows */
export async function endOfProcess(end: EndOfProcess): Promise<RuntimeEvent | undefined> {
  let waitedMs = 0
  for (
    let pauseMs = firstPauseMs;
    waitedMs < limitMs && !end.isClosed();
    pauseMs = Math.min(2 * pauseMs, longestPauseMs)
  ) {
    const seen = await (end.isContainer ? containerEnd(end) : sandboxEnd(end))
    if (seen !== 'not yet') return seen
    await end.sleep(pauseMs)
    waitedMs += pauseMs
  }
  return undefined
}

type Seen = RuntimeEvent | undefined | 'not yet'

async function containerEnd({ id, containerState }: EndOfProcess): Promise<Seen> {
  const state = await containerState(id).catch(() => 'running' as const)
  if (state === undefined) return undefined
  return state === 'exited' ? { type: 'exited', containerId: id } : 'not yet'
}

async function sandboxEnd(end: EndOfProcess): Promise<Seen> {
  const ready = await end.sandboxReady(end.id).catch(() => true)
  if (ready === true) return 'not yet'
  // Nobody saw how it began: perhaps it is a container after all.
  return ready === false ? { type: 'sandbox-exited', sandboxId: end.id } : await containerEnd(end)
}
