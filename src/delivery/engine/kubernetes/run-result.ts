// How a run ended, told from its Job and the pods of it. Pure.
import type { ContainerStateTerminated, Job, JobCondition, Pod } from '../../../api/generated/models.ts'
import type { RunResult } from '../engine.ts'
import { annotation } from './labels.ts'
import { mainStatus } from './main-container.ts'

/** Where there is no other code, and yet it did not succeed. */
const failed = 1

export const endOf = ({ status }: Job): JobCondition | undefined =>
  status.conditions?.find(({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True')

export function resultOf(job: Job, pods: readonly Pod[]): Omit<RunResult, 'lines'> {
  const end = endOf(job)
  const ended = job.metadata.annotations?.[annotation.ended]
  if (ended !== undefined) return { exitCode: failed, reason: ended }
  if (end?.reason === 'DeadlineExceeded')
    return { exitCode: failed, reason: `it was not done within ${job.spec.activeDeadlineSeconds} seconds` }
  const last = newestPod(pods)
  const terminated = last && mainStatus(last)?.state?.terminated
  if (terminated !== undefined) {
    const reason = troubleOf(terminated)
    return {
      exitCode: end?.type === 'Complete' ? 0 : terminated.exitCode || failed,
      ...(reason !== undefined && { reason }),
    }
  }
  if (end?.type === 'Complete') return { exitCode: 0 }
  const why = last?.status.message ?? end?.message ?? end?.reason ?? 'nobody knows why'
  return { exitCode: failed, reason: `it did not come to its end: ${why}` }
}

/** undefined: the program came to its end by itself. */
export function troubleOf({ reason = '', message = '' }: ContainerStateTerminated): string | undefined {
  if (reason === 'OOMKilled') return 'it used more memory than its limit'
  // What nodes say of a program that is not in the image.
  if (reason !== 'StartError' && reason !== 'ContainerCannotRun') return undefined
  return `it could not be started: ${message === '' ? reason : message}`
}

export const newestPod = (pods: readonly Pod[]): Pod | undefined =>
  pods.toSorted((left, right) => createdAt(left) - createdAt(right)).at(-1)

const createdAt = ({ metadata }: Pod): number => Date.parse(metadata.creationTimestamp ?? '') || 0
