// Processes that run to their end once. A run is known by its name alone, so whoever asks for it again joins it, in
// whatever state it is, and never starts it twice.
import { ApiError, isAlreadyExists, isInvalid } from '../../../api/api-error.ts'
import type { Job } from '../../../api/generated/models.ts'
import type { New } from '../../../api/object.ts'
import { jobs } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import { unlessNotFound } from '../../../control/removal.ts'
import type { Clock } from '../../../lib/clock.ts'
import { DeployError } from '../../deploy-error.ts'
import type { RunResult, Watch } from '../engine.ts'
import { fieldManager, objectName } from './labels.ts'
import { keepLive } from './live-list.ts'
import { patiently } from './patiently.ts'
import type { LogClient } from './pod-log.ts'
import { waitForRun } from './wait-for-run.ts'

/** A process gets half a minute to end, and the cluster as long to notice. */
const goneMs = 120_000

export class Runs {
  private readonly client: Client & LogClient
  private readonly clock: Clock

  constructor(client: Client & LogClient, clock: Clock) {
    this.client = client
    this.clock = clock
  }

  async run(wanted: New<Job>, watch: Watch): Promise<RunResult> {
    watch.signal.throwIfAborted()
    try {
      const job = await patiently(this.clock, watch, () => this.startOrJoin(wanted, watch.signal))
      return await waitForRun({ client: this.client, clock: this.clock, job, watch })
    } catch (error) {
      if (!isRefusal(error)) throw error
      return { exitCode: 1, reason: `the cluster refuses the run: ${(error as Error).message}`, lines: [] }
    }
  }

  async resultOf(namespace: string, run: string, watch: Watch): Promise<RunResult | undefined> {
    const job = await patiently(this.clock, watch, () =>
      findObject(this.client, jobs, { namespace, name: objectName(run) }),
    )
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined
    return waitForRun({ client: this.client, clock: this.clock, job, watch })
  }

  /** Returns when its process has ended. */
  async forget(namespace: string, run: string): Promise<void> {
    const name = { namespace, name: objectName(run) }
    const wasThere = await unlessNotFound(this.client.delete(jobs, name, { propagationPolicy: 'Foreground' }))
    if (wasThere) await this.gone(name)
  }

  private async startOrJoin(wanted: New<Job>, signal: AbortSignal): Promise<Job> {
    for (;;) {
      const name = { namespace: wanted.metadata.namespace!, name: wanted.metadata.name! }
      try {
        return await this.client.create(jobs, wanted, { fieldManager })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
      const found = await findObject(this.client, jobs, name)
      if (found === undefined) continue
      if (found.metadata.deletionTimestamp === undefined) return found
      await this.gone(name)
      signal.throwIfAborted()
    }
  }

  private async gone({ namespace, name }: { readonly namespace: string; readonly name: string }): Promise<void> {
    const end = new AbortController()
    let late = false
    const timer = this.clock.after(goneMs, () => {
      late = true
      end.abort()
    })
    const live = { client: this.client, clock: this.clock, signal: end.signal }
    try {
      await keepLive(live, { resource: jobs, namespace, fieldSelector: `metadata.name=${name}` }, ([job]) => {
        if (job?.metadata.deletionTimestamp === undefined) end.abort()
      })
    } finally {
      timer.cancel()
    }
    if (late)
      throw new DeployError(
        `the run ${name} was told to end and is still there after ${goneMs / 1000} seconds; look at it with: kubectl describe job -n ${namespace} ${name}`,
      )
  }
}

/** It would be refused again; a cluster that does not answer is another matter. */
const isRefusal = (error: unknown): boolean => isInvalid(error) || (error instanceof ApiError && error.code === 403)
