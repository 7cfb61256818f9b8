// `sampan deploy -e ENVIRONMENT [NAME[:VERSION]...]`: delivers services, those that sampan.yml names when none is given,
// in the order of their needs.
import { deploy, placeOf, planOf, resume } from '../../delivery/deploy.ts'
import type { DeliveryOptions } from '../../delivery/delivering.ts'
import type { Release } from '../../delivery/release.ts'
import { releaseFacts } from '../../delivery/release.ts'
import { takeBackGroup } from '../../delivery/take-back-group.ts'
import { inOrder, type Outcome } from '../../delivery/team/in-order.ts'
import { deliveryOptions, deploymentOf, type DeliverySettings } from '../deliveries.ts'
import { watchForInterruption } from '../interruption.ts'
import { CommandFailure, Output } from '../output.ts'
import { planText } from '../plan-text.ts'
import { openTarget, settingOf, type Target, type TargetOptions } from '../target.ts'
import { chosenServices, type ChosenService } from '../chosen-services.ts'

export interface DeployCommandOptions extends TargetOptions, DeliverySettings {
  readonly file?: string
  readonly output?: 'json'
  readonly dryRun?: boolean
  readonly resume?: boolean
  /** All of them as one release: when one fails, the others are taken back. */
  readonly together?: boolean
}

export async function deployCommand(names: readonly string[], options: DeployCommandOptions): Promise<void> {
  const setting = settingOf(options)
  // What is mistyped is said before a cluster is asked.
  const services = chosenServices(names, setting, options)
  const output = new Output()
  const target = openTarget(options, setting)
  try {
    if (options.dryRun) await showPlans(services, target, options, output)
    else await deliver(services, target, options, output)
  } finally {
    output.quiet()
    target.close()
  }
}

async function deliver(
  services: readonly ChosenService[],
  target: Target,
  options: DeployCommandOptions,
  output: Output,
): Promise<void> {
  const { environment } = target
  const named = services.map(({ name }) => name).join(' ')
  const interruption = watchForInterruption(
    output,
    `what was begun stays half-way; go on with: sampan deploy -e ${environment} ${named} --resume, or take it back with: sampan rollback -e ${environment} ${named}`,
  )
  try {
    const group = options.together && services.length > 1 ? `${Date.now().toString(36)}-${process.pid}` : undefined
    const several = services.length > 1
    const base = deliveryOptions(target, options, output, interruption.signal)
    const optionsFor = ({ name }: ChosenService): DeliveryOptions => ({
      ...base,
      ...(group !== undefined && { group }),
      report: several ? prefixed(base.report, name) : base.report,
    })
    const byName = new Map(services.map(service => [service.name, service]))
    const outcomes = await inOrder(Object.fromEntries(services.map(({ name, needs }) => [name, needs])), async name => {
      const service = byName.get(name)!
      const own = optionsFor(service)
      if (options.resume) return resume(placeOf({ manifest: service.manifest, environment }), own)
      return deploy(deploymentOf(target, service, service.version, { ...options, ...own }), own)
    })
    if (group !== undefined && outcomes.some(({ state }) => state !== 'done')) {
      for (const { name } of outcomes.filter(({ state }) => state === 'done').toReversed())
        await takeBackGroup(
          placeOf({ manifest: byName.get(name)!.manifest, environment }),
          group,
          optionsFor(byName.get(name)!),
        )
      output.line('what was delivered together was taken back together')
    }
    finish(outcomes, target, options, output)
  } catch (error) {
    throw interruption.exitCode === undefined
      ? error
      : new CommandFailure((error as Error).message, interruption.exitCode)
  } finally {
    interruption.close()
  }
}

async function showPlans(
  services: readonly ChosenService[],
  target: Target,
  options: DeployCommandOptions,
  output: Output,
): Promise<void> {
  const base = deliveryOptions(target, options, output, new AbortController().signal)
  const plans: { service: string; version: string; steps: unknown }[] = []
  for (const service of services) {
    const { name, version } = service
    const planned = await planOf(deploymentOf(target, service, version, { ...options, ...base }), base)
    output.quiet()
    plans.push({ service: name, version, steps: planned.steps })
    if (options.output !== 'json') console.log(`${name} ${version} to ${target.environment}:\n${planText(planned)}`)
  }
  if (options.output === 'json') console.log(JSON.stringify(plans.length === 1 ? plans[0] : plans))
}

function prefixed(report: DeliveryOptions['report'], name: string): DeliveryOptions['report'] {
  return {
    step: text => report.step(`${name}: ${text}`),
    waiting: text => report.waiting(`${name}: ${text}`),
    note: text => report.note(`${name}: ${text}`),
  }
}

function finish(
  outcomes: readonly Outcome<Release>[],
  { environment }: Target,
  { output: format }: DeployCommandOptions,
  output: Output,
): void {
  const done = outcomes.flatMap(({ value }) => value ?? [])
  const failed = outcomes.filter(({ state }) => state !== 'done')
  output.quiet()
  if (format === 'json' && failed.length === 0) {
    const facts = done.map(releaseFacts)
    console.log(JSON.stringify(facts.length === 1 ? facts[0] : facts))
  } else if (format !== 'json')
    for (const { service, version, revision } of done)
      output.line(
        `${service} ${version} runs in ${environment} (release ${revision}); look at it with: sampan ps -e ${environment} ${service}`,
      )
  if (failed.length === 0) return
  if (outcomes.length === 1) throw failed[0]!.error!
  throw new CommandFailure(
    failed
      .map(({ name, error }) =>
        error === undefined ? `${name}: not begun, because it needs one that failed` : error.message,
      )
      .join('\n'),
  )
}
