// Work that is done while people ask: bounded load from within a cluster's network namespace (http-load.ts), from
// before the work until after it.
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { eventually } from './eventually.ts'
import { repository, type ClusterFixture } from './cluster-fixture.ts'
import type { LoadReport } from './http-load.ts'

export interface Load {
  readonly urls: readonly string[]
  /** Connections to each that stay, and that are made anew for each request. */
  readonly keptAlive: number
  readonly newEachTime: number
  readonly pauseMs: number
}

interface Pods {
  readonly items: readonly { readonly metadata: { readonly deletionTimestamp?: string } }[]
}

/** Those that were replaced have ended, too: nothing that they would lose is missed. */
async function untilNoneEnds(cluster: ClusterFixture): Promise<void> {
  await eventually('old instances have ended', async () => {
    const { items } = await cluster.json<Pods>('get', 'pods', '-A', '-l', 'sampan.dev/track')
    return items.every(({ metadata }) => metadata.deletionTimestamp === undefined)
  })
}

export interface RunningLoad {
  stop(): Promise<LoadReport>
}

export function startLoad(cluster: ClusterFixture, { urls, keptAlive, newEachTime, pauseMs }: Load): RunningLoad {
  const program = join(repository, 'src/testing/http-load.ts')
  const load = cluster.spawn(process.execPath, [
    program,
    urls.join(' '),
    ...[keptAlive, newEachTime, pauseMs].map(String),
  ])
  const report = text(load.stdout!)
  const words = text(load.stderr!)
  return {
    async stop() {
      load.stdin!.end()
      const line = await report
      if (line === '') throw new Error(`the load ended with ${await words}`)
      return JSON.parse(line) as LoadReport
    },
  }
}

export async function underLoad(
  cluster: ClusterFixture,
  wanted: Load,
  work: () => Promise<unknown>,
): Promise<LoadReport> {
  const load = startLoad(cluster, wanted)
  try {
    await work()
    await untilNoneEnds(cluster)
  } catch (error) {
    await load.stop().catch(() => {})
    throw error
  }
  const result = await load.stop()
  const { requests, failures, slowestMs, versions } = result
  console.log(`${requests} requests, ${failures.length} failed, slowest ${slowestMs} ms, ${JSON.stringify(versions)}`)
  return result
}
