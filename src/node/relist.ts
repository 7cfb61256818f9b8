// What a list of everything that the runtime has says about one pod. Pure. On a busy machine a list takes
// seconds, and pods go on meanwhile: it says nothing about what is younger than its beginning, and nothing in
// it brings back to life what is known to have ended.
import type { ContainerState } from '../cri/runtime.ts'
import { isRunning, newestOf, type PodState } from './pod-state.ts'

/** What the list can speak about: what was known to run when it was asked for. */
export interface KnownToRun {
  readonly sandboxId: string | undefined
  readonly containerIds: ReadonlySet<string>
}

export interface RuntimeList {
  readonly readySandboxes: ReadonlySet<string>
  /** By id. */
  readonly containers: ReadonlyMap<string, ContainerState>
}

export interface Corrections {
  readonly endedSandbox: string | undefined
  /** Containers that ended unnoticed: how, only their status tells. */
  readonly ended: readonly string[]
  /** Containers that the runtime does not know any more. */
  readonly lost: readonly { readonly name: string; readonly id: string }[]
}

export const knownToRun = (state: PodState): KnownToRun => ({
  sandboxId: state.sandbox?.ready === true ? state.sandbox.id : undefined,
  containerIds: new Set(running(state).map(({ id }) => id)),
})

export function corrections(state: PodState, known: KnownToRun, list: RuntimeList): Corrections {
  const { sandboxId } = known
  const isEnded = sandboxId !== undefined && state.sandbox?.id === sandboxId && !list.readySandboxes.has(sandboxId)
  const spokenOf = running(state).filter(({ id }) => known.containerIds.has(id))
  return {
    endedSandbox: isEnded ? sandboxId : undefined,
    ended: spokenOf
      .filter(({ id }) => ['exited', 'unknown'].includes(list.containers.get(id) ?? ''))
      .map(({ id }) => id),
    lost: spokenOf.filter(({ id }) => !list.containers.has(id)).map(({ name, id }) => ({ name, id })),
  }
}

const running = (state: PodState): { name: string; id: string }[] =>
  [...state.containers.keys()].flatMap(name => {
    const newest = newestOf(state, name)
    return isRunning(newest) ? [{ name, id: newest.id }] : []
  })
