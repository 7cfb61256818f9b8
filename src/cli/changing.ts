// What commands have in common that change a service under its delivery lease: they open the environment, tell what
// they wait for, and end as shells expect it when they are interrupted.
import type { DeliveryOptions } from '../delivery/delivering.ts'
import { deliveryOptions, type DeliverySettings } from './deliveries.ts'
import { watchForInterruption } from './interruption.ts'
import { CommandFailure, Output } from './output.ts'
import { openTarget, type Target, type TargetOptions } from './target.ts'

export interface Changing {
  readonly target: Target
  readonly output: Output
  readonly delivery: DeliveryOptions
}

export interface Interruptible {
  /** What the first Ctrl-C leads to. */
  readonly first?: string
  /** What to do after the second. */
  readonly goOn: string
}

export async function changing<T>(
  options: TargetOptions & DeliverySettings,
  { first, goOn }: Interruptible,
  work: (at: Changing) => Promise<T>,
): Promise<T> {
  const output = new Output()
  const target = openTarget(options)
  const interruption = watchForInterruption(output, goOn, first)
  try {
    return await work({ target, output, delivery: deliveryOptions(target, options, output, interruption.signal) })
  } catch (error) {
    throw interruption.exitCode === undefined
      ? error
      : new CommandFailure((error as Error).message, interruption.exitCode)
  } finally {
    output.quiet()
    interruption.close()
    target.close()
  }
}
