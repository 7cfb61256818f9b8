// `sampan restart -e ENVIRONMENT NAME` and `sampan scale -e ENVIRONMENT NAME INSTANCES`: what changes instances until the
// next delivery.
import { restartService, scaleService, type Changed } from '../../delivery/change-instances.ts'
import type { DeliveryOptions } from '../../delivery/delivering.ts'
import type { Place } from '../../delivery/engine/parts.ts'
import { changing } from '../changing.ts'
import type { DeliverySettings } from '../deliveries.ts'
import { placeOf } from '../environment-services.ts'
import type { TargetOptions } from '../target.ts'

export interface InstancesOptions extends TargetOptions, DeliverySettings {
  readonly file?: string
  readonly output?: 'json'
}

export const restart = (service: string, options: InstancesOptions): Promise<void> =>
  changeInstances(service, options, restartService, ({ workload, version }) => `${workload} ${version} was restarted`)

export const scale = (service: string, instances: number, options: InstancesOptions): Promise<void> =>
  changeInstances(
    service,
    options,
    (place, delivery) => scaleService(place, instances, delivery),
    ({ workload, instances: written }) =>
      `${workload} has ${counted(instances)} now; the next deployment brings the ${written} of its manifest back`,
  )

const counted = (instances: number): string => `${instances} ${instances === 1 ? 'instance' : 'instances'}`

async function changeInstances(
  service: string,
  options: InstancesOptions,
  change: (place: Place, delivery: DeliveryOptions) => Promise<Changed>,
  told: (changed: Changed) => string,
): Promise<void> {
  const look = `sampan ps -e ${options.environment} ${service}`
  const interruptible = {
    first: 'what was begun goes on by itself; no longer waiting for it',
    goOn: `look how it goes with: ${look}`,
  }
  await changing(options, interruptible, async ({ target, output, delivery }) => {
    const changed = await change(placeOf(service, target, options.file), delivery)
    output.quiet()
    if (options.output === 'json') console.log(JSON.stringify(changed))
    else output.line(told(changed))
  })
}
