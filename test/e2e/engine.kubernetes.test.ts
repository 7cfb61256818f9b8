// The contract of engines on a cluster with real containers, over HTTPS as everybody reaches it.
import { describe } from 'vitest'
import { HttpClient } from '../../src/client/http-client.ts'
import { clusterAccess } from '../../src/client/kubeconfig.ts'
import { testEngine, type EngineWorld } from '../../src/delivery/engine/contract.ts'
import { KubernetesEngine } from '../../src/delivery/engine/kubernetes/kubernetes-engine.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { ClusterFixture, reasonToSkipCluster } from '../../src/testing/cluster-fixture.ts'
import { busyboxProcesses } from '../../src/testing/kubernetes-worlds.ts'
import { wayIntoNamespace } from '../../src/testing/way-into-namespace.ts'

async function realKubernetes(): Promise<EngineWorld> {
  const cluster = await ClusterFixture.up('engine')
  await cluster.pushBusybox()
  const access = clusterAccess([cluster.kubeconfig])
  const way = await wayIntoNamespace(cluster, Number(new URL(access.server).port))
  const server = `https://127.0.0.1:${way.port}`
  return {
    namespace: 'contract',
    processes: busyboxProcesses,
    lacks: {},
    engine: () =>
      new KubernetesEngine({
        name: access.context,
        clock: machineClock,
        client: new HttpClient({ userAgent: 'sampan-test', clock: machineClock, access: { ...access, server } }),
      }),
    close: async () => {
      way.close()
      await cluster.close()
    },
  }
}

const reason = reasonToSkipCluster()

describe.skipIf(reason !== undefined)(`containers${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  testEngine('Kubernetes', realKubernetes)
})
