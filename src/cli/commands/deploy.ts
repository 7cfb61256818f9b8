// `sampan deploy -e ENVIRONMENT[,ENVIRONMENT...] [NAME[:VERSION]...]`: delivers services, those that sampan.yml names when
// none is given, in the order of their needs, and to several environments at once.
import { deploy, placeOf, planOf, resume } from '../../delivery/deploy.ts'
import type { Step } from '../../delivery/plan/step.ts'
import { takeBackGroup } from '../../delivery/take-back-group.ts'
import { chosenServices, type ChosenService } from '../chosen-services.ts'
import { deliveryOptions, deploymentOf } from '../deliveries.ts'
import { eachService, type Ended, type EachServiceOptions, type Wish, type WishAt } from '../each-service.ts'
import { Output } from '../output.ts'
import { planText } from '../plan-text.ts'
import { openTarget, settingsOf } from '../target.ts'

export interface DeployCommandOptions extends EachServiceOptions {
  readonly file?: string
  readonly dryRun?: boolean
  readonly resume?: boolean
  /** All of them as one release: when one fails, the others are taken back. */
  readonly together?: boolean
}

export async function deployCommand(names: readonly string[], options: DeployCommandOptions): Promise<void> {
  // What is mistyped is said before a cluster is asked.
  const chosen = await Promise.all(
    settingsOf(options).map(async setting =>
      (await chosenServices(names, setting, options)).map(service => ({
        setting,
        name: service.name,
        after: service.needs,
        service,
      })),
    ),
  )
  const wishes = chosen.flat()
  await (options.dryRun ? showPlans(wishes, options) : deliver(wishes, options))
}

async function deliver(wishes: readonly Wish<ChosenService>[], options: DeployCommandOptions): Promise<void> {
  const { environment } = options
  const named = [...new Set(wishes.map(({ name }) => name))].join(' ')
  const group = options.together && wishes.length > 1 ? `${Date.now().toString(36)}-${process.pid}` : undefined
  await eachService(wishes, options, {
    goOn: `what was begun stays half-way; go on with: sampan deploy -e ${environment} ${named} --resume, or take it back with: sampan rollback -e ${environment} ${named}`,
    one: ({ target, service, delivery }) => {
      const own = { ...delivery, ...(group !== undefined && { group }) }
      return options.resume
        ? resume(placeAt({ target, service }), own)
        : deploy(deploymentOf(target, service, service.version, { ...options, ...own, builds: true }), own)
    },
    atTheEnd: async (ended, output) => {
      if (group === undefined || ended.every(isDone)) return ended
      const failures: string[] = []
      for (const { at } of ended.filter(isDone).toReversed())
        await takeBackGroup(placeAt(at), group, at.delivery).catch((error: unknown) =>
          failures.push((error as Error).message),
        )
      for (const text of failures) output.error(text)
      if (failures.length === 0) output.line('what was delivered together was taken back together')
      return ended.filter(each => !isDone(each))
    },
  })
}

const isDone = ({ outcome }: Ended<ChosenService>): boolean => outcome.state === 'done'

const placeAt = ({ target, service }: Pick<WishAt<ChosenService>, 'target' | 'service'>): ReturnType<typeof placeOf> =>
  placeOf({ manifest: service.manifest, environment: target.environment })

async function showPlans(wishes: readonly Wish<ChosenService>[], options: DeployCommandOptions): Promise<void> {
  const output = new Output()
  const plans: { environment: string; service: string; version: string; steps: readonly Step[] }[] = []
  for (const [setting, ofSetting] of Map.groupBy(wishes, wish => wish.setting)) {
    const target = openTarget(options, setting)
    const { environment } = target
    try {
      const base = deliveryOptions(target, options, output, new AbortController().signal)
      const planned = ofSetting.map(async ({ name, service }) => {
        const { version } = service
        const { steps } = await planOf(
          deploymentOf(target, service, version, { ...options, ...base, builds: false }),
          base,
        )
        return { environment, service: name, version, steps }
      })
      plans.push(...(await Promise.all(planned)))
    } finally {
      output.quiet()
      target.close()
    }
  }
  if (options.output === 'json') console.log(JSON.stringify(plans.length === 1 ? plans[0] : plans))
  else
    for (const { environment, service, version, steps } of plans)
      console.log(`${service} ${version} to ${environment}:\n${planText({ steps })}`)
}
