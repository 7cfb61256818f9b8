// A kept-open way to the agent of one instance: orders go there one after the other, and what becomes of the process
// comes back. It ends with the container, or when the agent is silent for too long; whoever holds it opens another.
import { PassThrough, Writable } from 'node:stream'
import type { Engine } from '../delivery/engine/engine.ts'
import type { Place } from '../delivery/engine/parts.ts'
import type { Clock } from '../lib/clock.ts'
import type { AgentStart, Answer, ChangedFile, Order, ProcessState } from './agent/words.ts'

export interface AgentLinkOptions {
  readonly engine: Pick<Engine, 'exec'>
  readonly clock: Clock
  readonly place: Place
  readonly instance: string
  /** How the agent is called. */
  readonly agent: readonly string[]
  /** At the beginning, and whenever it changes. */
  readonly process: (state: ProcessState) => void
  /** Once. */
  readonly ended: () => void
}

/** The way broke; what was ordered may have been done or not. */
export class LinkBroken extends Error {
  constructor(instance: string, reason: string) {
    super(`the agent in ${instance} cannot be reached: ${reason}`)
    this.name = 'LinkBroken'
  }
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** Within this an agent that is there has answered. */
const silenceMs = 10_000

export class AgentLink {
  readonly self: AgentStart
  private readonly input: PassThrough
  private readonly controller: AbortController
  private readonly waiting: Map<number, Waiting>
  private readonly clock: Clock
  private readonly instance: string
  private last = 0

  private constructor(
    self: AgentStart,
    parts: {
      input: PassThrough
      controller: AbortController
      waiting: Map<number, Waiting>
      clock: Clock
      instance: string
    },
  ) {
    this.self = self
    this.input = parts.input
    this.controller = parts.controller
    this.waiting = parts.waiting
    this.clock = parts.clock
    this.instance = parts.instance
  }

  /** @throws Error when there is no agent */
  static async open({ engine, clock, place, instance, agent, process, ended }: AgentLinkOptions): Promise<AgentLink> {
    const input = new PassThrough()
    const controller = new AbortController()
    const waiting = new Map<number, Waiting>()
    const hello = Promise.withResolvers<AgentStart>()
    const words: string[] = []
    const take = (line: string): void => {
      const answer = JSON.parse(line) as Answer
      if ('hello' in answer) hello.resolve(answer.hello)
      if ('process' in answer) process(answer.process)
      if ('done' in answer) waiting.get(answer.done)?.resolve()
      if ('failed' in answer) waiting.get(answer.failed)?.reject(new Error(answer.reason))
    }
    const close = (reason: string): void => {
      controller.abort()
      const error = new LinkBroken(instance, reason)
      hello.reject(error)
      for (const { reject } of waiting.values()) reject(error)
    }
    engine
      .exec(place, {
        instance,
        command: [...agent, 'connect'],
        terminal: {
          input,
          output: lines(take),
          errors: lines(line => words.push(line)),
          raw: false,
          signal: controller.signal,
        },
      })
      .then(
        code => close(words.at(-1) ?? `it ended with ${code}`),
        (error: Error) => close(error.message),
      )
      .finally(ended)
    const timer = clock.after(silenceMs, () => close('it is silent'))
    try {
      return new AgentLink(await hello.promise, { input, controller, waiting, clock, instance })
    } finally {
      timer.cancel()
    }
  }

  /** Also without files, to see whether it is there. @throws LinkBroken, and Error with what failed there */
  async order(files: readonly ChangedFile[], restart: boolean): Promise<void> {
    const large = files.filter(({ at }) => at !== undefined)
    // One after the other, so that nobody has to hold all of it.
    for (const file of large) await this.send([file], false)
    await this.send(
      files.filter(file => !large.includes(file)),
      restart,
    )
  }

  private async send(files: readonly ChangedFile[], restart: boolean): Promise<void> {
    if (this.controller.signal.aborted) throw new LinkBroken(this.instance, 'it has ended')
    const id = ++this.last
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.waiting.set(id, { resolve, reject })
    const timer = this.clock.after(silenceMs, () => {
      reject(new LinkBroken(this.instance, 'it is silent'))
      this.close()
    })
    try {
      const order: Order = { id, files, restart }
      this.input.write(`${JSON.stringify(order)}\n`)
      await promise
    } finally {
      timer.cancel()
      this.waiting.delete(id)
    }
  }

  close(): void {
    this.controller.abort()
    this.input.end()
  }
}

function lines(take: (line: string) => void): Writable {
  let rest = ''
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const parts = (rest + chunk.toString()).split('\n')
      rest = parts.pop()!
      for (const line of parts) if (line !== '') take(line)
      done()
    },
  })
}
