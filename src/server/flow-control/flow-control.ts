// API priority and fairness: how many requests of which kind run at once, who waits, and who is told to
// come back later. Levels and schemas are objects of the API; a change of one counts at once.
import { PlainError } from '../../api/api-error.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/generated/models.ts'
import { flowSchemas, priorityLevelConfigurations } from '../../api/resources.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Attributes } from '../auth/attributes.ts'
import type { UserInfo } from '../request.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import { distinguisherOf, inOrder, schemaMatches } from './flow-schemas.ts'
import { PriorityLevel } from './priority-level.ts'

/** Requests that run at once, over all levels: as kube-apiserver's two limits together. */
const defaultSeats = 600
/** A quarter of a request's time, after which waiting longer is of no use. */
const longestWaitMs = 15_000

/** A request that may run. */
export interface Passage {
  readonly schema: FlowSchema | undefined
  readonly level: PriorityLevel | undefined
  /** To be called when the request is done; more calls have no effect. */
  leave(): void
}

/** The client is to come back after a second. */
export class Refusal extends PlainError {
  readonly schema: FlowSchema
  readonly level: PriorityLevel

  constructor(schema: FlowSchema, level: PriorityLevel) {
    super(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds: 1 })
    this.schema = schema
    this.level = level
  }
}

export interface FlowControlOptions {
  readonly storage: ObjectStorage
  readonly clock: Clock
  /** Requests that run at once, over all levels. */
  readonly seats?: number
  readonly onReject?: (schema: string, level: string, reason: 'queue-full' | 'concurrency-limit' | 'time-out') => void
}

const free: Passage = { schema: undefined, level: undefined, leave() {} }

export class FlowControl {
  private schemas: readonly FlowSchema[] = []
  private readonly levelsByName = new Map<string, PriorityLevel>()
  private isCurrent = false
  private readonly options: FlowControlOptions

  constructor(options: FlowControlOptions) {
    this.options = options
    for (const resource of [flowSchemas, priorityLevelConfigurations])
      options.storage.cache(resource).subscribe(() => {
        this.isCurrent = false
      })
  }

  get levels(): Iterable<PriorityLevel> {
    this.refresh()
    return this.levelsByName.values()
  }

  /**
   * Lets a request in, at once or when its turn comes.
   * @param seats is how much of the server it needs, 1 for most
   * @throws Refusal
   */
  enter(user: UserInfo, attributes: Attributes, seats = 1): Passage | Promise<Passage> {
    this.refresh()
    const schema = this.schemas.find(candidate => schemaMatches(candidate, user, attributes))
    const level = schema && this.levelsByName.get(schema.spec.priorityLevelConfiguration.name)
    if (schema === undefined || level === undefined) return free
    const passage = this.passage(schema, level, seats)
    if (level.waiting === 0 && level.hasSeats(seats, () => this.borrowableBy(level))) {
      level.occupy(seats)
      return passage
    }
    if (level.waiting >= level.queueLimit)
      throw this.refuse(schema, level, level.queueLimit === 0 ? 'concurrency-limit' : 'queue-full')
    return new Promise((resolve, reject) => {
      const flow = `${schema.metadata.name}\0${distinguisherOf(schema, user, attributes)}`
      const timeout = this.options.clock.after(longestWaitMs, () => {
        quit()
        reject(this.refuse(schema, level, 'time-out'))
      })
      const quit = level.wait(flow, {
        seats,
        start: () => {
          timeout.cancel()
          resolve(passage)
        },
      })
    })
  }

  private passage(schema: FlowSchema, level: PriorityLevel, seats: number): Passage {
    let isInside = true
    const leave = (): void => {
      if (!isInside) return
      isInside = false
      level.release(seats)
      for (const each of this.levelsByName.values()) if (each.waiting > 0) each.dispatch(() => this.borrowableBy(each))
    }
    return { schema, level, leave }
  }

  private refuse(
    schema: FlowSchema,
    level: PriorityLevel,
    reason: 'queue-full' | 'concurrency-limit' | 'time-out',
  ): Error {
    this.options.onReject?.(schema.metadata.name, level.name, reason)
    return new Refusal(schema, level)
  }

  private borrowableBy(borrower: PriorityLevel): number {
    let seats = 0
    for (const level of this.levelsByName.values()) if (level !== borrower) seats += level.seatsToLend
    return seats
  }

  private refresh(): void {
    if (this.isCurrent) return
    this.isCurrent = true
    const { storage, seats = defaultSeats } = this.options
    this.schemas = inOrder(
      storage
        .cache(flowSchemas)
        .list()
        .map(({ object }) => object as FlowSchema),
    )
    const levels = storage
      .cache(priorityLevelConfigurations)
      .list()
      .map(({ object }) => object as PriorityLevelConfiguration)
    const shares = levels.reduce(
      (sum, { spec }) => sum + (spec.limited?.nominalConcurrencyShares ?? spec.exempt?.nominalConcurrencyShares ?? 0),
      0,
    )
    const names = new Set(levels.map(({ metadata }) => metadata.name))
    for (const configuration of levels) {
      const { name } = configuration.metadata
      let level = this.levelsByName.get(name)
      if (level === undefined) this.levelsByName.set(name, (level = new PriorityLevel(name)))
      level.configure(configuration, shares === 0 ? 0 : seats / shares)
    }
    for (const [name, level] of this.levelsByName)
      if (!names.has(name) && level.running === 0 && level.waiting === 0) this.levelsByName.delete(name)
  }
}
