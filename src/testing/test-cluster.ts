// A whole cluster in the test's process: API server, control loops, scheduler and hollow nodes.
import { allKinds } from '../api/kinds/all.ts'
import type { Pod, PodStatus } from '../api/generated/models.ts'
import type { Client } from '../client/client.ts'
import { startControllers, type ControllerDefinition, type Running } from '../control/controller.ts'
import { allControllers } from '../controllers/all.ts'
import {
  localPathProvisionerController,
  type VolumeDirectories,
} from '../controllers/local-path-provisioner/local-path-provisioner.ts'
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
  /** `NODE/NAME` of the directories that volumes have now. */
  readonly directories: ReadonlySet<string>
  stop(): Promise<void>
}

/** All control loops for a server, as a cluster has them. Ranges of addresses go at once: no other server has to see it first. */
export function controllersOf({ keys, server: { context } }: TestServer): readonly ControllerDefinition[] {
  return allControllers({
    rootCaPem: 'test authority',
    resources: liveResources(context.kinds),
    kinds: allKinds,
    issueToken: facts => context.tokens.issueLegacy(facts),
    certificates: clusterSigner(keys.authority, () => Date.now()),
    serviceCidrGraceMs: 0,
  })
}

interface TestClusterOptions extends TestServerOptions {
  readonly nodes?: number
  /** Control loops and nodes speak HTTPS. */
  readonly useRemote?: boolean
  /** Nodes make volumes, which are names without a disk behind them. */
  readonly hasVolumes?: boolean
}

export async function startTestCluster({
  nodes = 1,
  logger = silentLogger,
  useRemote = false,
  hasVolumes = false,
  ...serverOptions
}: TestClusterOptions = {}): Promise<TestCluster> {
  const server = await startTestServer({ ...serverOptions, logger })
  const client: Client = useRemote ? server.remote : server.local
  const common = { client, clock: machineClock, random: systemRandom, logger }
  const controllers = await startControllers(controllersOf(server), common)
  const scheduler = await startScheduler({
    ...common,
    host: 'test-host',
    client: useRemote ? client : server.as('system:kube-scheduler'),
  })
  const hollow: { stop(): void }[] = []
  const provisioners: Running[] = []
  const directories = new Set<string>()
  const cluster: TestCluster = {
    client,
    server,
    directories,
    run: undefined,
    async addNode(name, allocatable) {
      hollow.push(
        await startHollowNode({
          client,
          clock: machineClock,
          name,
          ...(allocatable && { allocatable }),
          run: undefined,
          ...(cluster.run && { run: cluster.run }),
        }),
      )
      const provisioner = localPathProvisionerController({
        nodeName: name,
        directories: namedDirectories(directories, `${name}/`),
      })
      if (hasVolumes)
        provisioners.push(
          await startControllers([provisioner], {
            ...common,
            client: server.as('system:serviceaccount:kube-system:local-path-provisioner'),
          }),
        )
    },
    async stop() {
      for (const node of hollow) node.stop()
      await Promise.all([controllers, scheduler, ...provisioners].map(running => running.stop()))
      await server.close()
    },
  }
  for (let index = 0; index < nodes; index++) await cluster.addNode(`node-${index}`)
  return cluster
}

function namedDirectories(present: Set<string>, prefix: string): VolumeDirectories {
  return {
    async create(name) {
      present.add(prefix + name)
      return `/${prefix}${name}`
    },
    async remove(path) {
      present.delete(path.slice(1))
    },
  }
}
