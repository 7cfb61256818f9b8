// One priority level: so many seats for requests that run, and flows of requests that wait. Flows take
// turns, so that a client with many requests delays its own before those of others.
import type { PriorityLevelConfiguration } from '../../api/generated/models.ts'

interface Waiter {
  readonly seats: number
  readonly start: () => void
}

export class PriorityLevel {
  readonly name: string
  uid = ''
  exempt = false
  /** Seats of its own. */
  nominalSeats = 0
  /** How many of them others may use while they are free. */
  lendableSeats = 0
  /** How many seats of others it may use; undefined: any number. */
  borrowingLimit: number | undefined
  /** How many requests may wait; 0: none, they are refused at once. */
  queueLimit = 0
  seatsInUse = 0
  running = 0
  waiting = 0
  private readonly flows = new Map<string, Waiter[]>()

  constructor(name: string) {
    this.name = name
  }

  /** @param seatsPerShare is how many seats of the server one concurrency share stands for */
  configure({ metadata, spec }: PriorityLevelConfiguration, seatsPerShare: number): void {
    this.uid = metadata.uid ?? ''
    this.exempt = spec.type === 'Exempt'
    const { nominalConcurrencyShares = 0, lendablePercent = 0 } = (this.exempt ? spec.exempt : spec.limited) ?? {}
    this.nominalSeats = Math.ceil(nominalConcurrencyShares * seatsPerShare)
    this.lendableSeats = Math.round((this.nominalSeats * lendablePercent) / 100)
    const percent = spec.limited?.borrowingLimitPercent
    this.borrowingLimit = percent === undefined ? undefined : Math.round((this.nominalSeats * percent) / 100)
    const queuing = spec.limited?.limitResponse?.queuing
    this.queueLimit = queuing === undefined ? 0 : queuing.queues! * queuing.queueLengthLimit!
  }

  /** Free seats that others may use now. */
  get seatsToLend(): number {
    return Math.max(0, Math.min(this.lendableSeats, this.nominalSeats - this.seatsInUse))
  }

  /** @param borrowable tells what all other levels together could lend now; asked only when the own seats do not do */
  hasSeats(seats: number, borrowable: () => number): boolean {
    // A request that is wider than the whole level runs alone rather than never.
    if (this.exempt || this.seatsInUse === 0 || this.seatsInUse + seats <= this.nominalSeats) return true
    return this.seatsInUse + seats <= this.nominalSeats + Math.min(this.borrowingLimit ?? Infinity, borrowable())
  }

  occupy(seats: number): void {
    this.seatsInUse += seats
    this.running++
  }

  release(seats: number): void {
    this.seatsInUse -= seats
    this.running--
  }

  /** @returns how to leave the queue without having run */
  wait(flow: string, waiter: Waiter): () => void {
    const queue = this.flows.get(flow)
    if (queue === undefined) this.flows.set(flow, [waiter])
    else queue.push(waiter)
    this.waiting++
    return () => this.drop(flow, waiter)
  }

  /** Starts those whose turn it is, as long as there are seats. */
  dispatch(borrowable: () => number): void {
    for (const [flow, queue] of this.flows) {
      const next = queue[0]!
      if (!this.hasSeats(next.seats, borrowable)) return
      this.drop(flow, next)
      // Behind the other flows.
      if (queue.length > 0) {
        this.flows.delete(flow)
        this.flows.set(flow, queue)
      }
      this.occupy(next.seats)
      next.start()
    }
  }

  private drop(flow: string, waiter: Waiter): void {
    const queue = this.flows.get(flow)
    const index = queue?.indexOf(waiter) ?? -1
    if (index < 0) return
    queue!.splice(index, 1)
    this.waiting--
    if (queue!.length === 0) this.flows.delete(flow)
  }
}
