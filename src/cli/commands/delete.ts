// `sampan delete -e ENVIRONMENT NAME`: takes everything of a service away; its data only with `--with-data`.
import { deleteService } from '../../delivery/delete-service.ts'
import type { Place } from '../../delivery/engine/parts.ts'
import { changing } from '../changing.ts'
import { confirm } from '../confirm.ts'
import type { DeliverySettings } from '../deliveries.ts'
import { placeOf } from '../environment-services.ts'
import { CommandFailure } from '../output.ts'
import { settingOf, type TargetOptions } from '../target.ts'

export interface DeleteOptions extends TargetOptions, DeliverySettings {
  readonly file?: string
  readonly withData?: boolean
  readonly yes?: boolean
  readonly output?: 'json'
}

export async function deleteCommand(service: string, options: DeleteOptions): Promise<void> {
  const { environment, withData = false } = options
  const again = `sampan delete -e ${environment} ${service}${withData ? ' --with-data' : ''}`
  const interruptible = {
    first: 'stopping behind what is just being taken away',
    goOn: `take the rest away with: ${again}`,
  }
  const place = placeOf(service, settingOf(options), options.file)
  await confirm(
    `the service ${service} in ${environment}, ${withData ? 'its data included' : 'but not its data'}`,
    service,
    options.yes,
  )
  await changing(options, interruptible, async ({ output, delivery }) => {
    const { removed, kept } = await deleteService(place, withData, delivery)
    output.quiet()
    if (!removed) throw new CommandFailure(nothingThere(place, kept))
    if (options.output === 'json') console.log(JSON.stringify({ service, environment, deleted: true, kept }))
    else {
      output.line(`${service} is gone from ${environment}`)
      if (kept.length > 0)
        output.line(
          `the data of ${kept.join(', ')} stays; it goes with: sampan delete -e ${environment} ${service} --with-data`,
        )
    }
  })
}

function nothingThere({ service, environment, namespace }: Place, holders: readonly string[]): string {
  const there = `there is nothing of "${service}" in the environment "${environment}" (namespace ${namespace})`
  return holders.length === 0
    ? there
    : `${there} but the data of ${holders.join(', ')}; to take that away too: sampan delete -e ${environment} ${service} --with-data`
}
