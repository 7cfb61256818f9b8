// From an answer of the API until requests are led otherwise: a route that comes, and instances that change. In a cluster in
// a network namespace of its own; whoever asks is a program in it.
import { join } from 'node:path'
import { ClusterFixture, repository, succeeded } from '../../src/testing/cluster-fixture.ts'
import type { Figures } from '../images/figures.ts'

export async function changes(figures: Figures): Promise<void> {
  const cluster = await ClusterFixture.up('bench-gateway')
  try {
    const program = join(repository, 'bench/gateway/ask-changes.ts')
    const { out } = succeeded(await cluster.run(process.execPath, [program], { timeoutMs: 120_000 }))
    Object.assign(figures.all, JSON.parse(out) as Record<string, number>)
  } finally {
    await cluster.close()
  }
}
