// Worlds for the contract suite of engines: a Kubernetes in the test's process, whose nodes only pretend, as somebody
// sees it who has the rights of docs/delivery-rights.md in one namespace and no others.
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { badRequest } from '../api/api-error.ts'
import type { Container, ContainerState, Pod, PodStatus } from '../api/generated/models.ts'
import { offeredGateway } from '../api/gateway-names.ts'
import { namespaces, pods, roleBindings, roles } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { HttpClient } from '../client/http-client.ts'
import type { EngineWorld, TestProcesses } from '../delivery/engine/contract/engine-world.ts'
import { KubernetesEngine } from '../delivery/engine/kubernetes/kubernetes-engine.ts'
import type { GatewayName } from '../delivery/engine/kubernetes/route-style.ts'
import type { Process } from '../delivery/engine/parts.ts'
import { machineClock } from '../host/machine-clock.ts'
import { offerStorageClass } from '../main/default-storage-class.ts'
import { formatTime } from '../lib/clock.ts'
import { signCertificate, type KeyPairPem } from '../server/auth/certificate-authority.ts'
import { deployerRules, rightText } from './deployer-role.ts'
import { startOfferedGateway } from './offered-gateway.ts'
import { runProcess } from './process-streams.ts'
import { startTestCluster } from './test-cluster.ts'
import { testKeys, type TestServerOptions } from './in-process-server.ts'

const process = (image: string, command: readonly string[]): Process => ({
  image,
  command,
  variables: { GREETING: { value: 'hello' } },
  files: [],
  resources: { cpu: '1m', memory: '16Mi' },
  security: { root: false, user: 65534, capabilities: [], readOnlyRoot: false },
})

const missingImage = 'sampan.local/missing:1'

/** Real programs of a real image. */
export const busyboxProcesses: TestProcesses = {
  serves: shell('echo ready to serve; exec httpd -f -p 8080 -h /tmp'),
  rests: shell('exec httpd -f -p 8081 -h /tmp'),
  crashes: shell('echo broken; exit 3'),
  missing: process(missingImage, ['true']),
  says: (lines, exitCode) => shell([...lines.map(line => `echo ${line}`), `exit ${exitCode}`].join('; ')),
  echoes: ['cat'],
}

function shell(script: string): Process {
  return process('sampan.local/busybox:1', ['sh', '-c', script])
}

const scriptOf = ({ command = [] }: Container): string => command.at(-1) ?? ''
const linesOf = (script: string): string[] => [...script.matchAll(/echo ([^;]+)/g)].map(([, line]) => line!)
const codeOf = (script: string): number | undefined => {
  const code = /exit (\d+)$/.exec(script)?.[1]
  return code === undefined ? undefined : Number(code)
}

/** What a node would report of such a process some time after its start. */
function pretended(pod: Pod): Partial<PodStatus> {
  const [container] = pod.spec.containers as [Container]
  const broken = pod.spec.initContainers?.find(sidecar => codeOf(scriptOf(sidecar)) !== undefined)
  const now = formatTime(machineClock.now())
  const code = codeOf(scriptOf(container))
  const status = (state: ContainerState, more: object = {}): NonNullable<PodStatus['containerStatuses']> => [
    { name: container.name, image: container.image!, imageID: '', ready: false, restartCount: 0, state, ...more },
  ]
  if (broken !== undefined)
    return {
      initContainerStatuses: [
        {
          name: broken.name,
          image: broken.image!,
          imageID: '',
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: codeOf(scriptOf(broken))! } },
        },
      ],
      containerStatuses: status({ waiting: { reason: 'PodInitializing' } }),
    }
  if (container.image === missingImage)
    return { containerStatuses: status({ waiting: { reason: 'ErrImagePull', message: 'the image is not there' } }) }
  const ended = { terminated: { exitCode: code ?? 0, startedAt: now, finishedAt: now } }
  if (code !== undefined && pod.spec.restartPolicy === 'Never')
    return { phase: code === 0 ? 'Succeeded' : 'Failed', startTime: now, containerStatuses: status(ended) }
  if (code !== undefined)
    return {
      phase: 'Running',
      startTime: now,
      containerStatuses: status({ waiting: { reason: 'CrashLoopBackOff' } }, { restartCount: 3, lastState: ended }),
    }
  return {
    phase: 'Running',
    startTime: now,
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }],
    conditions: ['Initialized', 'ContainersReady', 'Ready'].map(type => ({
      type,
      status: 'True',
      lastTransitionTime: now,
    })),
    containerStatuses: status({ running: { startedAt: now } }, { ready: true, started: true }),
  }
}

export interface PretendedCluster {
  readonly client: Client
  /** With all rights, or those of a client certificate. */
  engineFor(certificate?: KeyPairPem, gateway?: GatewayName): KubernetesEngine
  engineAs(user: string): Promise<KubernetesEngine>
  certificateOf(user: string): Promise<KeyPairPem>
  close(): Promise<void>
}

/** Nodes that only say what processes would do: of busybox they know `echo`, `exit` and that a server goes on. */
export async function pretendedCluster(audit?: TestServerOptions['audit']): Promise<PretendedCluster> {
  const scripts = new Map<string, string>()
  const followed = new Map<string, Readable>()
  const web = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  const cluster = await startTestCluster({
    nodes: 0,
    hasVolumes: true,
    ...(audit !== undefined && { audit }),
    findNodeStreams: () => ({
      logs: async ({ pod }, { follow, tailLines, previous }) => {
        const script = scripts.get(pod) ?? ''
        if (previous === true && codeOf(script) === undefined)
          throw badRequest(`there was no container before in ${pod}`)
        const lines = linesOf(script).map((line, index) => `2026-01-01T00:00:00.00000000${index}Z ${line}\n`)
        const shown = tailLines === undefined ? lines : lines.slice(lines.length - tailLines)
        const log = new Readable({ read: () => {} })
        for (const line of shown) log.push(line)
        if (follow !== true || codeOf(script) !== undefined) log.push(null)
        else followed.set(pod, log)
        return log
      },
      exec: async (_target, command) => runProcess(command),
      attach: async ({ namespace, pod }) => {
        const { stdout, ...session } = runProcess(['cat'])
        void Promise.all([text(stdout!), session.done]).then(([written]) => end(namespace, pod, written))
        return session
      },
      portForward: async () => connect((web.address() as AddressInfo).port, '127.0.0.1'),
      endpoint: async () => ({ status: 200, contentType: 'text/plain', body: 'ok' }),
    }),
  })
  cluster.run = pod => {
    scripts.set(pod.metadata.name, scriptOf(pod.spec.containers[0]!))
    return pretended(pod)
  }
  await offerStorageClass(cluster.client)
  await cluster.addNode('node-0')

  /** What was typed is in its log. */
  async function end(namespace: string, name: string, written: string): Promise<void> {
    scripts.set(name, `echo ${written}; exit 0`)
    followed.get(name)?.push(`2026-01-01T00:00:01.000000000Z ${written}\n`)
    followed.get(name)?.push(null)
    const pod = await cluster.client.get(pods, { namespace, name })
    const containerStatuses = pod.status.containerStatuses?.map(status => ({
      ...status,
      state: { terminated: { exitCode: 0 } },
    }))
    const value = { status: { phase: 'Succeeded', containerStatuses } }
    await cluster.client.patch(pods, { namespace, name }, { type: 'strategic', value }, { subresource: 'status' })
  }
  const { authority, admin } = await testKeys()
  const engineFor = ({ certificate, key }: KeyPairPem = admin, gateway?: GatewayName): KubernetesEngine =>
    new KubernetesEngine({
      gateway,
      name: 'pretended',
      clock: machineClock,
      client: new HttpClient({
        userAgent: 'sampan-test',
        clock: machineClock,
        access: {
          context: 'test',
          server: `https://127.0.0.1:${cluster.server.port}`,
          namespace: 'default',
          authority: authority.certificate,
          certificate,
          key,
          skipVerification: false,
        },
      }),
    })
  const certificateOf = (commonName: string): Promise<KeyPairPem> =>
    signCertificate(authority, { commonName, usage: 'client', days: 1 }, machineClock.now())
  return {
    client: cluster.client,
    engineFor,
    certificateOf,
    engineAs: async user => engineFor(await certificateOf(user)),
    close: async () => {
      web.close()
      await cluster.stop()
    },
  }
}

/** A request that was answered, as the audit log has it. */
interface Audited {
  readonly verb: string
  readonly objectRef?: { readonly apiGroup?: string; readonly resource: string; readonly subresource?: string }
  readonly responseStatus?: { readonly code: number }
}

const deployer = 'deployer'
const namespace = 'contract'

/**
 * @param used takes each right that was made use of
 * @param hasGateway routes are taken by the Gateway that a cluster of Sampan offers
 */
export async function pretendedKubernetes(
  used: (right: string) => void = () => {},
  hasGateway = false,
): Promise<EngineWorld> {
  const cluster = await pretendedCluster({
    policy: { rules: [{ level: 'Metadata', users: [deployer], omitStages: ['RequestReceived'] }] },
    sink: {
      append(line) {
        const { verb, objectRef, responseStatus } = JSON.parse(line) as Audited
        if (objectRef === undefined || responseStatus?.code === 403) return
        const { apiGroup = '', resource, subresource } = objectRef
        used(rightText(verb, apiGroup, subresource === undefined ? resource : `${resource}/${subresource}`))
      },
      close: async () => {},
    },
  })
  await giveRights(cluster.client)
  const gateway = hasGateway ? await startOfferedGateway(cluster.client) : undefined
  const certificate = await cluster.certificateOf(deployer)
  return {
    namespace,
    processes: busyboxProcesses,
    // Who has rights in one namespace alone does not see it by himself.
    engine: () => cluster.engineFor(certificate, hasGateway ? offeredGateway : undefined),
    close: async () => {
      await gateway?.stop()
      await cluster.close()
    },
  }
}

async function giveRights(client: Client): Promise<void> {
  const metadata = { namespace, name: deployer }
  await client.create(namespaces, { metadata: { name: namespace } })
  await client.create(roles, { metadata, rules: [...deployerRules()] })
  await client.create(roleBindings, {
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: deployer },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: deployer }],
  })
}
