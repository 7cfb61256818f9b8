// What the tests of the contract share: the world in which they run, and how they look at it.
import { randomBytes } from 'node:crypto'
import { describe, test } from 'vitest'
import type { Engine, ObservedWorkload, Watch } from '../engine.ts'
import type { Place } from '../parts.ts'
import type { Ability, EngineWorld, TestProcesses } from './engine-world.ts'
import { partBuilders, timeLimitSeconds } from './part-builders.ts'

export class Suite {
  readonly lacks: readonly Ability[]
  readonly parts = partBuilders(() => this.processes)
  private readonly make: () => Promise<EngineWorld>
  private opened: { readonly world: EngineWorld; readonly engine: Engine } | undefined

  constructor(make: () => Promise<EngineWorld>, lacks: readonly Ability[]) {
    this.make = make
    this.lacks = lacks
  }

  async open(): Promise<void> {
    const world = await this.make()
    this.opened = { world, engine: world.engine() }
    await this.engine.prepare(this.newPlace())
  }

  async close(): Promise<void> {
    this.opened?.engine.close()
    await this.opened?.world.close()
  }

  get engine(): Engine {
    return this.opened!.engine
  }

  get processes(): TestProcesses {
    return this.opened!.world.processes
  }

  readonly testOf = (ability: Ability): typeof test => (this.lacks.includes(ability) ? noTest : test)

  readonly describeOf = (ability: Ability): typeof describe => (this.lacks.includes(ability) ? noTests : describe)

  readonly newPlace = (): Place => ({
    environment: 'test',
    namespace: this.opened!.world.namespace,
    service: `s${randomBytes(4).toString('hex')}`,
  })

  /** As another command would. */
  readonly elsewhere = async <T>(ask: (other: Engine) => Promise<T>): Promise<T> => {
    const other = this.opened!.world.engine()
    try {
      return await ask(other)
    } finally {
      other.close()
    }
  }

  readonly seen = async (place: Place, workload = place.service): Promise<ObservedWorkload | undefined> =>
    (await this.engine.observe(place)).workloads.find(({ name }) => name === workload)
}

/** In place of the tests of what a world does not have. */
const noTest = (() => {}) as unknown as typeof test
const noTests = (() => {}) as unknown as typeof describe

export const watch = (more: Partial<Watch> = {}): Watch => ({
  progress: () => {},
  heldUp: () => {},
  timeLimitSeconds,
  signal: new AbortController().signal,
  ...more,
})

export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )
