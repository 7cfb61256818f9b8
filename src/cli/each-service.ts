// What `deploy` and `rollback` have in common: services of one environment or of several, side by side where none
// waits for another, told apart in what is said, and one result of all of them.
import type { DeliveryOptions } from '../delivery/delivering.ts'
import { releaseFacts, type Release } from '../delivery/release.ts'
import { runsText } from '../delivery/service-state.ts'
import { inOrder, type Outcome } from '../delivery/team/in-order.ts'
import { deliveryOptions, type DeliverySettings } from './deliveries.ts'
import { interruptible } from './interruption.ts'
import { CommandFailure, Output } from './output.ts'
import { openTarget, type Setting, type Target, type TargetOptions } from './target.ts'

/** One service of one environment. */
export interface Wish<Service> {
  readonly setting: Setting
  readonly name: string
  /** Names of those of its environment that come before it. */
  readonly after: readonly string[]
  readonly service: Service
}

export interface WishAt<Service> extends Wish<Service> {
  readonly target: Target
  readonly delivery: DeliveryOptions
}

export interface EachServiceOptions extends TargetOptions, DeliverySettings {
  readonly output?: 'json'
}

export interface Ended<Service> {
  readonly at: WishAt<Service>
  readonly outcome: Outcome<Release>
}

export interface EachServiceWork<Service> {
  /** What to do after it was ended at once. */
  readonly goOn: string
  readonly one: (at: WishAt<Service>) => Promise<Release>
  /** What is said when it has ended well; by default that the release runs, as its steps made sure. */
  readonly told?: (at: WishAt<Service>, release: Release) => Promise<string>
  /** When all have ended, some perhaps badly. @returns those that nothing became of afterwards */
  readonly atTheEnd?: (ended: readonly Ended<Service>[], output: Output) => Promise<readonly Ended<Service>[]>
}

/** @throws CommandFailure with what failed, when the others have ended */
export async function eachService<Service>(
  wishes: readonly Wish<Service>[],
  options: EachServiceOptions,
  { goOn, one, told = async (_at, release) => runsText(release), atTheEnd }: EachServiceWork<Service>,
): Promise<void> {
  const output = new Output()
  const targets = new Map<Setting, Target>()
  try {
    for (const { setting } of wishes) if (!targets.has(setting)) targets.set(setting, openTarget(options, setting))
    await interruptible(output, { goOn }, async signal => {
      const labelOf = ({ setting, name }: Wish<Service>): string =>
        targets.size > 1 ? `${setting.environment} ${name}` : name
      const all = new Map(
        wishes.map(wish => {
          const target = targets.get(wish.setting)!
          const delivery = deliveryOptions(target, options, output, signal)
          const report = wishes.length > 1 ? prefixed(delivery.report, labelOf(wish)) : delivery.report
          return [keyOf(wish, wish.name), { ...wish, target, delivery: { ...delivery, report } }]
        }),
      )
      const order = [...all].map(([key, at]) => [key, at.after.map(name => keyOf(at, name))])
      const outcomes = await inOrder(Object.fromEntries(order), key => one(all.get(key)!))
      const ended = outcomes.map(outcome => ({ at: all.get(outcome.name)!, outcome }))
      const last = (await atTheEnd?.(ended, output)) ?? ended
      if (options.output !== 'json')
        for (const { at, outcome } of last) if (outcome.value !== undefined) output.line(await told(at, outcome.value))
      tell(last, wishes.length > 1 ? labelOf : undefined, options, output)
    })
  } finally {
    for (const target of targets.values()) target.close()
  }
}

const keyOf = ({ setting }: Pick<Wish<unknown>, 'setting'>, name: string): string => `${setting.environment}/${name}`

function prefixed(report: DeliveryOptions['report'], name: string): DeliveryOptions['report'] {
  return {
    step: text => report.step(`${name}: ${text}`),
    waiting: text => report.waiting(`${name}: ${text}`),
    note: text => report.note(`${name}: ${text}`),
  }
}

function tell<Service>(
  ended: readonly Ended<Service>[],
  labelOf: ((wish: Wish<Service>) => string) | undefined,
  { output: format }: EachServiceOptions,
  output: Output,
): void {
  const failed = ended.filter(({ outcome }) => outcome.state !== 'done')
  output.quiet()
  if (format === 'json' && failed.length === 0) {
    const facts = ended.flatMap(({ outcome }) => outcome.value ?? []).map(releaseFacts)
    console.log(JSON.stringify(facts.length === 1 ? facts[0] : facts))
  }
  if (failed.length === 0) return
  if (labelOf === undefined) throw failed[0]!.outcome.error!
  const lines = failed.map(({ at, outcome: { error } }) => `${labelOf(at)}: ${error?.message ?? notBegun}`)
  throw new CommandFailure(lines.join('\n'))
}

const notBegun = 'not begun, because one that comes before it failed'
