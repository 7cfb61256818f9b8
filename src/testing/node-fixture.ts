// A node agent with a real containerd over a fake API, and the few verbs that tests of it speak.
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Container, Pod, PodSpec } from '../api/generated/models.ts'
import { pods } from '../api/resources.ts'
import { machineClock } from '../host/machine-clock.ts'
import { silentLogger } from '../lib/logger.ts'
import { startNodeAgent, type NodeAgent } from '../node/node-agent.ts'
import type { LogOptions } from '../streams/node-streams.ts'
import { eventually } from './eventually.ts'
import { FakeClient } from './fake-client.ts'
import { testPod } from './pods.ts'
import { privateContainerd, type PrivateContainerd } from './private-containerd.ts'

export const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

export class NodeFixture {
  readonly client = new FakeClient()
  readonly place: PrivateContainerd
  readonly nodeAddress: string
  agent!: NodeAgent
  private readonly podCidr: string

  private constructor(place: PrivateContainerd, podCidr: string) {
    this.place = place
    this.podCidr = podCidr
    this.nodeAddress = podCidr.replace(/\d+\/\d+$/, '254')
  }

  static async start(name: string, podCidr: string, relistMs?: number): Promise<NodeFixture> {
    const fixture = new NodeFixture(await privateContainerd(name, podCidr, relistMs), podCidr)
    await fixture.startAgent()
    return fixture
  }

  async startAgent(): Promise<void> {
    this.agent = await startNodeAgent({
      client: this.client,
      runtime: this.place.runtime,
      nodeName: 'node-1',
      dataDirectory: join(this.place.directory, 'node'),
      cgroupRoot: this.place.podGroup,
      clock: machineClock,
      logger: silentLogger,
      network: {
        podCidr: this.podCidr,
        serviceCidr: '10.43.0.0/16',
        dnsAddress: '10.43.0.10',
        nodeAddress: this.nodeAddress,
        domain: 'cluster.local',
      },
    })
  }

  async close(): Promise<void> {
    await this.agent?.stop()
    await this.place.close()
  }

  show(name: string): Pod | undefined {
    return this.client.informer(pods).get({ namespace: 'default', name })
  }

  launch(name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}): Promise<Pod> {
    return this.client.create(pods, testPod(name, container, spec))
  }

  untilReady(name: string): Promise<Pod> {
    return eventually(`${name} ready`, () => isReady(this.show(name)) && this.show(name))
  }

  untilPhase(name: string, phase: string): Promise<Pod> {
    return eventually(`${name} ${phase}`, () => this.show(name)?.status.phase === phase && this.show(name))
  }

  async remove(name: string, gracePeriodSeconds?: number): Promise<void> {
    await this.client.delete(
      pods,
      { namespace: 'default', name },
      gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds },
    )
    await eventually(`${name} gone`, () => this.show(name) === undefined)
  }

  async logs(pod: Pod, options: LogOptions = {}, container = 'main'): Promise<string> {
    return await text(
      await this.agent.logs(
        { namespace: 'default', pod: pod.metadata.name, podUid: pod.metadata.uid, container },
        options,
      ),
    )
  }

  /** Runs a command in the pod's container `main` and returns what it printed. */
  async exec(pod: Pod, ...command: string[]): Promise<string> {
    const session = await this.agent.exec(
      { namespace: 'default', pod: pod.metadata.name, podUid: pod.metadata.uid, container: 'main' },
      command,
      { stdin: false, stdout: true, stderr: true, tty: false },
    )
    const [out, err] = await Promise.all([text(session.stdout!), text(session.stderr!), session.done])
    return out + err
  }

  /** Runs a pod to its end and returns its output. */
  async outputOf(name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}): Promise<string> {
    const pod = await this.launch(name, container, { restartPolicy: 'Never', ...spec })
    await eventually(`${name} ended`, () => ['Succeeded', 'Failed'].includes(this.show(name)?.status.phase ?? ''))
    const output = await this.logs(pod)
    await this.remove(name, 0)
    return output
  }
}
