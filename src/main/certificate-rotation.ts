// Renews the cluster's certificates while it runs, when less than a third of their life is left: new
// connections see the new ones, those that exist go on.
import { X509Certificate } from 'node:crypto'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { renewalMs, type ClusterKeys } from './cluster-keys.ts'

export interface RotationOptions {
  readonly keys: ClusterKeys
  /** The keys as they are now, with new certificates for those that are due. */
  readonly renew: (nowMs: number) => Promise<ClusterKeys>
  readonly apply: (keys: ClusterKeys) => void
  readonly clock: Clock
  readonly logger: Logger
}

const retryMs = 3_600_000

function dueMs({ serving, admin, registry, frontProxy }: ClusterKeys): number {
  const all = [serving, admin, frontProxy.client, ...(registry === undefined ? [] : [registry])]
  return Math.min(...all.map(({ certificate }) => renewalMs(new X509Certificate(certificate))))
}

/** @returns how to stop */
export function rotateCertificates({ keys, renew, apply, clock, logger }: RotationOptions): () => void {
  let timer: Timer
  const wait = (delayMs: number, due: number): void => {
    timer = clock.after(delayMs, () => {
      if (clock.now() < due) wait(due - clock.now(), due)
      else void renewed().then(next => wait(next - clock.now(), next))
    })
  }
  async function renewed(): Promise<number> {
    try {
      const fresh = await renew(clock.now())
      apply(fresh)
      logger.info('certificates renewed')
      return dueMs(fresh)
    } catch (error) {
      logger.error('certificates not renewed; the next try is in an hour', { error: (error as Error).message })
      return clock.now() + retryMs
    }
  }
  const first = dueMs(keys)
  wait(first - clock.now(), first)
  return () => timer.cancel()
}
