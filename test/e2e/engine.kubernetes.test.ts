// The contract of engines on a cluster with real containers, over HTTPS as everybody reaches it; and what only a real
// one shows: times that come, and a server that goes away meanwhile.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HttpClient } from '../../src/client/http-client.ts'
import { clusterAccess } from '../../src/client/kubeconfig.ts'
import { testEngine } from '../../src/delivery/engine/contract/test-engine.ts'
import { KubernetesEngine } from '../../src/delivery/engine/kubernetes/kubernetes-engine.ts'
import type { Place } from '../../src/delivery/engine/parts.ts'
import { machineClock } from '../../src/host/machine-clock.ts'
import { ClusterFixture, reasonToSkipCluster, succeeded } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { busyboxProcesses } from '../../src/testing/kubernetes-worlds.ts'
import { wayIntoNamespace } from '../../src/testing/way-into-namespace.ts'

interface RealCluster {
  readonly cluster: ClusterFixture
  engine(): KubernetesEngine
  close(): Promise<void>
}

async function realCluster(name: string): Promise<RealCluster> {
  const cluster = await ClusterFixture.up(name)
  await cluster.pushBusybox()
  // What a cluster serves is asked once by an engine.
  await eventually(
    'the Gateway of the cluster is there',
    async () => (await cluster.kubectl('get', 'gateway', 'sampan', '-n', 'kube-system')).code === 0,
  )
  const access = clusterAccess([cluster.kubeconfig])
  const way = await wayIntoNamespace(cluster, Number(new URL(access.server).port))
  const server = `https://127.0.0.1:${way.port}`
  return {
    cluster,
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
  testEngine('Kubernetes', async () => {
    const real = await realCluster('engine')
    return { ...real, namespace: 'contract', processes: busyboxProcesses }
  })

  describe('a cluster', () => {
    let real: RealCluster
    let engine: KubernetesEngine
    const place: Place = { environment: 'test', namespace: 'test', service: 'hcn' }
    const watch = (line: (text: string) => void = () => {}) => ({
      progress: () => {},
      heldUp: () => {},
      line,
      timeLimitSeconds: 100,
      signal: new AbortController().signal,
    })
    const shell = (script: string) => ({ ...busyboxProcesses.serves, command: ['sh', '-c', script] })
    beforeAll(async () => {
      real = await realCluster('engine-times')
      engine = real.engine()
      await engine.prepare(place)
    })
    afterAll(async () => {
      engine?.close()
      await real?.close()
    })

    test('whose server is killed and started again loses no run, no line and no rollout', async () => {
      const lines: string[] = []
      const process = shell('for i in 1 2 3 4 5 6 7 8; do echo line $i; sleep 1; done')
      const run = { name: 'hcn-count', service: 'hcn', version: '1', process, timeLimitSeconds: 60 }
      const counted = engine.runOnce(
        place,
        run,
        watch(line => lines.push(line)),
      )
      await eventually('it counts', () => lines.length > 1, 60_000)
      const rolledOut = engine.rollOut(
        place,
        {
          kind: 'workload',
          name: 'hcn',
          service: 'hcn',
          version: '1',
          track: 'main',
          serving: true,
          instances: 2,
          process: shell('sleep 1000'),
          ports: [],
          health: undefined,
          stopSeconds: 1,
          update: 'rolling',
          spread: true,
          disruptionBudget: true,
        },
        watch(),
      )
      await eventually('it rolls out', async () => (await engine.observe(place)).workloads.length === 1)
      globalThis.process.kill(await real.cluster.serverPid(), 'SIGKILL')
      succeeded(await real.cluster.up())
      const all = ['1', '2', '3', '4', '5', '6', '7', '8'].map(number => `line ${number}`)
      expect(await counted).toEqual({ exitCode: 0, lines: all })
      expect(lines).toEqual(all)
      expect(await rolledOut).toEqual({ state: 'done' })
    })

    test('serves the times that count and lets the others pass, whoever delivers meanwhile', async () => {
      const startMs = (Math.floor(Date.now() / 60_000) + 1) * 60_000
      const schedule = {
        kind: 'schedule',
        name: 'hcn-tick',
        service: 'hcn',
        version: '1',
        task: 'tick',
        timing: { start: new Date(startMs).toISOString(), everyMinutes: 7 },
        process: shell('echo it is time'),
        overlap: false,
        retries: 0,
      } as const
      const patience = { progress: () => {}, signal: new AbortController().signal }
      await engine.put(place, schedule, patience)
      await engine.put(place, { ...schedule, version: '2' }, patience)
      await eventually('the time has come', async () => (await seen())?.lastSuccess !== undefined, 90_000)
      await engine.put(place, { ...schedule, version: '3' }, patience)
      const minute = startMs / 60_000
      await eventually('the next minute has passed', async () => (await output(minute + 1)) !== undefined, 90_000)
      expect(await output(minute)).toBe('it is time\n')
      expect(await output(minute + 1)).toBe('')
      expect(await seen()).toEqual({
        name: 'hcn-tick',
        task: 'tick',
        running: 0,
        lastStart: expect.any(String) as string,
        lastSuccess: expect.any(String) as string,
      })
    }, 240_000)

    const seen = async () => (await engine.observe(place)).schedules[0]

    /** Of the time's one pod, once it has succeeded. */
    async function output(minute: number): Promise<string | undefined> {
      const job = `batch.kubernetes.io/job-name=hcn-tick-${minute}`
      const phases = await real.cluster.show(
        'get',
        'pods',
        '-n',
        'test',
        '-l',
        job,
        '-o',
        'jsonpath={.items[*].status.phase}',
      )
      return phases === 'Succeeded' ? real.cluster.show('logs', '-n', 'test', '-l', job) : undefined
    }
  })
})
