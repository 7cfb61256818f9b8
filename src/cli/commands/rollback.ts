// `sampan rollback -e ENVIRONMENT NAME`: goes back to the release before, or to the one that is named; what was
// interrupted is taken back.
import { rollback } from '../../delivery/deploy.ts'
import { isName } from '../../delivery/manifest/fields.ts'
import { releaseFacts } from '../../delivery/release.ts'
import { changing } from '../changing.ts'
import { placeOfService } from '../chosen-services.ts'
import type { DeliverySettings } from '../deliveries.ts'
import { CommandFailure } from '../output.ts'
import type { TargetOptions } from '../target.ts'

export interface RollbackCommandOptions extends TargetOptions, DeliverySettings {
  readonly file?: string
  readonly output?: 'json'
  readonly to?: number
  readonly keepSchema?: boolean
}

export async function rollbackCommand(service: string, options: RollbackCommandOptions): Promise<void> {
  if (!isName(service))
    throw new CommandFailure(
      `expected the NAME of a service such as geo-backend, found "${service}"; --to chooses a release, else it is the one before`,
    )
  const { environment } = options
  const goOn = `the release stays half-way; take it back with: sampan rollback -e ${environment} ${service}`
  await changing(options, { goOn }, async ({ target, output, delivery }) => {
    const place = placeOfService(service, target, options.file)
    const { to: revision, keepSchema = false } = options
    const release = await rollback({ place, keepSchema, ...(revision !== undefined && { revision }) }, delivery)
    output.quiet()
    if (options.output === 'json') console.log(JSON.stringify(releaseFacts(release)))
    else
      output.line(
        `${service} ${release.version} runs in ${environment} (release ${release.revision}); look at it with: sampan ps -e ${environment} ${service}`,
      )
  })
}
