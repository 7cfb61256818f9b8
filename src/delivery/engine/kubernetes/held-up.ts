// What holds a wait up, followed as it changes and as time passes: `planStanding` decides when it is told, and when the
// wait has certainly failed. Where somebody makes a node for the pod, waiting does help.
import { events } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Clock, Timer } from '../../../lib/clock.ts'
import type { Watch } from '../engine.ts'
import { planStanding, type StandingCause } from './standing-cause.ts'
import type { Standstill } from './standstill.ts'

export interface HeldUpOptions {
  readonly client: Client
  readonly clock: Clock
  readonly namespace: string
  readonly watch: Pick<Watch, 'heldUp'>
  readonly fail: (cause: Standstill) => void
}

export class HeldUp {
  private readonly options: HeldUpOptions
  private standing: StandingCause | undefined
  private timer: Timer | undefined
  private isOver = false

  constructor(options: HeldUpOptions) {
    this.options = options
  }

  /** @param text what is told of it */
  by(cause: Standstill | undefined, text: string): void {
    if (this.isOver) return
    const { clock, watch } = this.options
    this.timer?.cancel()
    const { standing, tell, fail, againInMs } = planStanding(this.standing, cause, clock.now())
    this.standing = standing
    if (againInMs !== undefined) this.timer = clock.after(againInMs, () => this.by(cause, text))
    if (tell) watch.heldUp(text)
    if (fail) void this.failUnlessNodesCome(cause!)
  }

  close(): void {
    this.isOver = true
    this.timer?.cancel()
  }

  private async failUnlessNodesCome(certain: Standstill): Promise<void> {
    if (await this.nodesCome(certain)) return
    const { cause } = this.standing ?? {}
    if (!this.isOver && cause?.kind === certain.kind) this.options.fail(cause)
  }

  /** Who may not read events does not hear of it. */
  private async nodesCome({ kind, pod }: Standstill): Promise<boolean> {
    if (kind !== 'no node' || pod === undefined) return false
    const { client, namespace } = this.options
    const fieldSelector = `involvedObject.name=${pod},reason=TriggeredScaleUp`
    const found = await client.list(events, { namespace, fieldSelector }).catch(() => undefined)
    return (found?.items.length ?? 0) > 0
  }
}
