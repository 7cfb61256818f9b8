// What runs in the cluster of the boot test: a service of two instances, a pod that ends when it is told to and
// notes that, and one that does not listen.
import { expectMatch, show, untilMatch } from './checks.ts'
import type { VirtualMachine } from './virtual-machine.ts'

const service = `
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
process.on('SIGTERM', () => {
  if (process.env.MODE === 'stubborn') return
  if (process.env.MODE === 'polite') appendFileSync('/notes/told', 'told to end\\n')
  process.exit(0)
})
createServer((request, response) => response.end('here is ' + process.env.HOSTNAME)).listen(8080)
`

const pod = (name: string, graceSeconds: number, limits: object): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: graceSeconds,
    dnsPolicy: 'Default',
    containers: [
      {
        name: 'main',
        image: 'sampan.local/service:1.0.0',
        env: [{ name: 'MODE', value: name }],
        securityContext: { runAsUser: 0 },
        resources: { limits },
        volumeMounts: [{ name: 'notes', mountPath: '/notes' }],
      },
    ],
    volumes: [{ name: 'notes', hostPath: { path: '/var/notes', type: 'DirectoryOrCreate' } }],
  },
})

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'sampan.local/service:1.0.0' }] },
    },
  },
}

const frontDoor = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] },
}

/** Seconds that the pod which does not listen is waited for. */
export const stubbornSeconds = 5

export async function startPods(machine: VirtualMachine): Promise<void> {
  const items = [
    deployment,
    frontDoor,
    pod('polite', 30, { memory: '128Mi', cpu: '500m' }),
    pod('stubborn', stubbornSeconds, { memory: '256Mi' }),
  ]
  await put(
    machine,
    '/root/service/package.json',
    JSON.stringify({ name: 'service', version: '1.0.0', type: 'module' }),
  )
  await put(machine, '/root/service/index.js', service)
  await put(machine, '/root/pods.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  await show(machine, 'sampan build /root/service')
  await show(machine, 'kubectl apply -f /root/pods.json')
  await untilAllRun(machine)
}

export const put = (machine: VirtualMachine, path: string, content: string): Promise<string> =>
  show(machine, `mkdir -p $(dirname ${path}) && echo ${Buffer.from(content).toString('base64')} | base64 -d > ${path}`)

/** Four pods are Ready and the service answers. */
export async function untilAllRun(machine: VirtualMachine): Promise<void> {
  await untilMatch(machine, 'kubectl get pods --no-headers', /^(?:\S+ +1\/1 +Running .*\n){4}$/)
  await untilMatch(machine, answer, /here is web-/)
}

/** Debian's minimal system has no curl. */
const answer = `bash -c 'exec 3<>/dev/tcp/127.0.0.1/30080 && printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3'`

/** Changes when a container is made anew. */
export const containers = (machine: VirtualMachine): Promise<string> =>
  show(machine, `kubectl get pods -o jsonpath='{range .items[*]}{.status.containerStatuses[0].containerID} {end}'`)

/** What the pod has noted that listens. */
export const notes = async (machine: VirtualMachine): Promise<string> =>
  (await machine.run('cat /var/notes/told')).output

export async function expectNodeReady(machine: VirtualMachine): Promise<void> {
  expectMatch(await untilMatch(machine, 'kubectl get nodes --no-headers', / Ready /), / Ready /, 'the node')
}
