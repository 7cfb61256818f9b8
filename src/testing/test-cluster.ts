// A whole cluster in the test's process: API server, control loops, scheduler and hollow nodes.
import { allKinds } from '../api/kinds/all.ts'
import type { Pod, PodStatus } from '../api/generated/models.ts'
import type { Client } from '../client/client.ts'
import { startControllers, type ControllerDefinition } from '../control/controller.ts'
import { allControllers } from '../controllers/all.ts'
import { machineClock } from '../host/machine-clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { liveResources } from '../main/live-resources.ts'
import { systemRandom } from '../main/system.ts'
import { clusterSigner } from '../server/auth/certificate-requests.ts'
import { startScheduler } from '../scheduler/scheduler.ts'
import { startHollowNode } from './hollow-node.ts'
import type { TestServer, TestServerOptions } from './in-process-server.ts'
import { startTestServer } from './in-process-server.ts'

export interface TestCluster {
  readonly client: Client
  readonly server: TestServer
  /** What pods do from now on; see `HollowNodeOptions.run`. */
  run: ((pod: Pod) => Partial<PodStatus> | undefined) | undefined
  addNode(name: string, allocatable?: Record<string, string>): Promise<void>
  stop(): Promise<void>
}

/** All control loops for a server, as a cluster has them. Ranges of addresses go at once: no other server has to see it first. */
export function controllersOf({ keys, server: { context } }: TestServer): readonly ControllerDefinition[] {
  return allControllers({ rootCaPem: 'test authority', resources: liveResources(context.kinds), kinds: allKinds, issueToken: facts => context.tokens.issueLegacy(facts), certificates: clusterSigner(keys.authority, () => Date.now()), serviceCidrGraceMs: 0 })
}

interface TestClusterOptions extends TestServerOptions {
  readonly nodes?: number
  /** Control loops and nodes speak HTTPS. */
  readonly useRemote?: boolean
}

export async function startTestCluster({ nodes = 1, logger = silentLogger, useRemote = false, ...serverOptions }: TestClusterOptions = {}): Promise<TestCluster> {
  const server = await startTestServer({ ...serverOptions, logger })
  const client: Client = useRemote ? server.remote : server.local
  const common = { client, clock: machineClock, random: systemRandom, logger }
  const controllers = await startControllers(controllersOf(server), common)
  const scheduler = await startScheduler({ ...common, client: useRemote ? client : server.as('system:kube-scheduler') })
  const hollow: { stop(): void }[] = []
  const cluster: TestCluster = {
    client, server, run: undefined,
    async addNode(name, allocatable) {
      hollow.push(await startHollowNode({ client, clock: machineClock, name, ...(allocatable && { allocatable }), run: undefined, ...(cluster.run && { run: cluster.run }) }))
    },
    async stop() {
      for (const node of hollow) node.stop()
      await Promise.all([controllers.stop(), scheduler.stop()])
      await server.close()
    },
  }
  for (let index = 0; index < nodes; index++) await cluster.addNode(`node-${index}`)
  return cluster
}
