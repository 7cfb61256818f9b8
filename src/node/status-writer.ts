// Brings a pod's status to the API: one write under way at a time, always the newest status, nothing when
// nothing changed. A conflict means the pod changed meanwhile: the worker computes the status anew.
import { isConflict, isNotFound } from '../api/api-error.ts'
import type { Pod, PodStatus } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import { sameJson } from '../api/validation/scalars.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'

const retryMs = 1_000
const conflictRetryMs = 20

export class StatusWriter {
  private readonly client: Client
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly compute: () => { readonly pod: Pod; readonly status: PodStatus } | undefined
  private running: Promise<void> | undefined
  private again = false

  /** `compute` gives the newest pod and what its status shall be; undefined when there is nothing to write. */
  constructor(
    client: Client,
    clock: Clock,
    logger: Logger,
    compute: () => { readonly pod: Pod; readonly status: PodStatus } | undefined,
  ) {
    this.client = client
    this.clock = clock
    this.logger = logger
    this.compute = compute
  }

  wake(): void {
    this.again = true
    this.running ??= this.loop()
  }

  /** Resolves when the newest status is stored. */
  async flush(): Promise<void> {
    this.wake()
    while (this.running !== undefined) await this.running
  }

  private async loop(): Promise<void> {
    // Several changes of the same moment become one write.
    await Promise.resolve()
    while (this.again) {
      this.again = false
      await this.writeOnce()
    }
    this.running = undefined
  }

  private async writeOnce(): Promise<void> {
    const next = this.compute()
    if (next === undefined || sameJson(next.pod.status, next.status)) return
    try {
      await this.client.update(pods, { ...next.pod, status: next.status }, { subresource: 'status' })
    } catch (error) {
      if (isNotFound(error)) return
      if (!isConflict(error))
        this.logger.warn('pod status not written', { pod: next.pod.metadata.name, error: String(error) })
      await new Promise<void>(resolve => {
        this.clock.after(isConflict(error) ? conflictRetryMs : retryMs, resolve)
      })
      this.again = true
    }
  }
}
