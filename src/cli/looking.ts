// What commands that only look have in common: they open the environment, look at each service of it side by side, and
// close it again.
import { situationOf } from '../delivery/history.ts'
import type { Place } from '../delivery/engine/parts.ts'
import type { Looked } from '../delivery/service-state.ts'
import { openTarget, type Setting, type Target, type TargetOptions } from './target.ts'

/** @param setting by default that of the folder in which the command was given */
export async function withTarget<T>(
  options: TargetOptions,
  work: (target: Target) => Promise<T>,
  setting?: Setting,
): Promise<T> {
  const target = openTarget(options, setting)
  try {
    return await work(target)
  } finally {
    target.close()
  }
}

export async function lookAt({ engine }: Pick<Target, 'engine'>, places: readonly Place[]): Promise<Looked[]> {
  return Promise.all(
    places.map(async place => {
      const [{ releases }, observed] = await Promise.all([situationOf(engine, place), engine.observe(place)])
      return { place, releases: releases.map(({ content }) => content), observed }
    }),
  )
}
