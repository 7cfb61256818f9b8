// What commands have in common that change a service under its delivery lease: they open the environment, tell what
// they wait for, and end as shells expect it when they are interrupted.
import type { DeliveryOptions } from '../delivery/delivering.ts'
import { deliveryOptions, type DeliverySettings } from './deliveries.ts'
import { interruptible, type Interruptible } from './interruption.ts'
import { withTarget } from './looking.ts'
import { Output } from './output.ts'
import type { Target, TargetOptions } from './target.ts'

export interface Changing {
  readonly target: Target
  readonly output: Output
  readonly delivery: DeliveryOptions
}

export async function changing<T>(
  options: TargetOptions & DeliverySettings,
  how: Interruptible,
  work: (at: Changing) => Promise<T>,
): Promise<T> {
  const output = new Output()
  return withTarget(options, target =>
    interruptible(output, how, signal =>
      work({ target, output, delivery: deliveryOptions(target, options, output, signal) }),
    ),
  )
}
