// `sampan rollback -e ENVIRONMENT[,ENVIRONMENT...] NAME...`: goes back to the release before, or to the one that is named;
// what was interrupted is taken back. Of several services, those that need others go back before these.
import { rollback } from '../../delivery/deploy.ts'
import { foundName, isName } from '../../delivery/manifest/fields.ts'
import { placeOfService } from '../chosen-services.ts'
import { standsText } from '../../delivery/service-state.ts'
import { eachService, type EachServiceOptions } from '../each-service.ts'
import { lookAt } from '../looking.ts'
import { CommandFailure } from '../output.ts'
import { settingsOf } from '../target.ts'

export interface RollbackCommandOptions extends EachServiceOptions {
  readonly file?: string
  readonly to?: number
  readonly keepSchema?: boolean
}

export async function rollbackCommand(services: readonly string[], options: RollbackCommandOptions): Promise<void> {
  for (const service of services)
    if (!isName(service))
      throw new CommandFailure(
        `expected the NAME of a service such as geo-backend, found ${foundName(service)}; --to chooses a release, else it is the one before`,
      )
  const { environment, to: revision, keepSchema = false } = options
  const wishes = settingsOf(options).flatMap(setting =>
    [...new Set(services)].map(name => ({
      setting,
      name,
      after: services.filter(other => setting.team?.services[other]?.needs.includes(name)),
      service: placeOfService(name, setting, options.file),
    })),
  )
  if (revision !== undefined && wishes.length > 1)
    throw new CommandFailure(
      `--to ${revision} is a release of one service in one environment, found ${wishes.length}; go back with each of them by itself`,
    )
  await eachService(wishes, options, {
    goOn: `what was begun stays half-way; take it back with: sampan rollback -e ${environment} ${services.join(' ')}`,
    one: ({ service: place, delivery }) =>
      rollback({ place, keepSchema, ...(revision !== undefined && { revision }) }, delivery),
    // What was interrupted may have left instances alone that did not run before it either.
    told: async ({ target, service: place }, release) => standsText(release, (await lookAt(target, [place]))[0]!),
  })
}
