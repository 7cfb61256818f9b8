// Every command of kubectl, with the real kubectl, against a cluster in the test's process. The commands are
// those whose requests were recorded (reference data beside the repository, or where SAMPAN_REFERENCE points);
// a test fails when one of them is not run here. test/e2e/cluster.kubectl.test.ts runs kubectl against real
// containers.
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publishClusterServices } from '../../src/main/cluster-services.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { hasKubectl, kubectlFor, runSteps, withKubectl, type Kubectl, type Step } from '../../src/testing/kubectl.ts'
import { processStreams } from '../../src/testing/process-streams.ts'
import { startTestCluster, type TestCluster } from '../../src/testing/test-cluster.ts'

const image = 'sampan.local/busybox:1'

const deployment = (name: string, more = ''): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {a: ${name}}}
  template:
    metadata: {labels: {a: ${name}}}
    spec: {containers: [{name: c, image: "${image}"${more}}]}
`
const files: Readonly<Record<string, string>> = {
  'd1.yaml': deployment('d1'),
  'd1-changed.yaml': deployment('d1', ', env: [{name: A, value: "1"}]'),
  'p1.yaml': `{apiVersion: v1, kind: Pod, metadata: {name: p1, labels: {run: p1}}, spec: {containers: [{name: c, image: "${image}"}]}}`,
  'n1.yaml': '{apiVersion: v1, kind: Node, metadata: {name: n1}}',
  // kubectl checks the items of a list by the binary OpenAPI document, everything else lets the server check.
  'list.yaml':
    '{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: listed}, data: {a: b}}, {apiVersion: v1, kind: Service, metadata: {name: listed}, spec: {ports: [{port: 80, targetPort: 8080}]}}]}',
  'wrong-list.yaml':
    '{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Service, metadata: {name: wrong}, spec: {ports: [{port: 80}], portz: 1}}]}',
  'rc.yaml': `{apiVersion: v1, kind: ReplicationController, metadata: {name: rc, labels: {app: rc}}, spec: {replicas: 1, selector: {app: rc}, template: {metadata: {labels: {app: rc}}, spec: {containers: [{name: c, image: "${image}"}]}}}}`,
}

const ofObjects: Step[] = [
  ['api-resources', 'kubectl api-resources --api-group=apps', /deployments +deploy +apps\/v1 +true +Deployment/],
  ['get-cold', 'kubectl get pods', /No resources found in default namespace/],
  ['create-pod', 'kubectl create -f p1.yaml', /^pod\/p1 created$/m],
  ['wait', 'kubectl wait --for=condition=Ready pod/p1 --timeout=10s', /^pod\/p1 condition met$/m],
  ['get-warm', 'kubectl get pods', /^p1 +1\/1 +Running +0 +\d+s$/m],
  ['get-wide-all', 'kubectl get all -A -o wide', /^default +pod\/p1 .* n0 /m],
  ['apply-create', 'kubectl apply -f d1.yaml', /^deployment.apps\/d1 created$/m],
  ['apply-node', 'kubectl apply -f n1.yaml', /^node\/n1 created$/m],
  ['rollout-status', 'kubectl rollout status deployment/d1 --timeout=10s', /deployment "d1" successfully rolled out/],
  [
    'Kubectl client Kubectl diff should check if kubectl diff finds a difference for Deployments',
    'kubectl diff -f d1-changed.yaml',
    /^\+ +- name: A$/m,
    1,
  ],
  ['diff', 'kubectl diff -f d1.yaml', /^$/],
  ['apply-patch', 'kubectl apply -f d1-changed.yaml', /^deployment.apps\/d1 configured$/m],
  [
    'apply-ssa',
    'kubectl apply --server-side --force-conflicts -f d1-changed.yaml',
    /^deployment.apps\/d1 serverside-applied$/m,
  ],
  ['get-yaml', 'kubectl get deployment d1 -o yaml --show-managed-fields', /manager: kubectl\n/],
  [
    'edit',
    'EDITOR="sed -i s/replicas:\\ 1/replicas:\\ 2/" kubectl edit deployment d1',
    /^deployment.apps\/d1 edited$/m,
  ],
  ['scale', 'kubectl scale deployment d1 --replicas=1', /^deployment.apps\/d1 scaled$/m],
  ['set-image', 'kubectl set image deployment/d1 c=other:1', /^deployment.apps\/d1 image updated$/m],
  ['rollout-restart', 'kubectl rollout restart deployment/d1', /^deployment.apps\/d1 restarted$/m],
  [
    'rollout-restart2',
    'sleep 1; kubectl rollout restart deployment/d1 && kubectl rollout status deployment/d1 --timeout=10s',
    /successfully rolled out/,
  ],
  ['rollout-history', 'kubectl rollout history deployment/d1', /^REVISION +CHANGE-CAUSE\n1 /m],
  ['rollout-undo', 'kubectl rollout undo deployment/d1', /^deployment.apps\/d1 rolled back$/m],
  [
    'replace',
    'kubectl get deployment d1 -o yaml > current.yaml && kubectl replace -f current.yaml',
    /^deployment.apps\/d1 replaced$/m,
  ],
  ['label', 'kubectl label node n1 x=y', /^node\/n1 labeled$/m],
  [
    'Kubectl client Kubectl label should update the label on a resource',
    'kubectl label pod p1 testing-label=value && kubectl get pod p1 -L testing-label && kubectl label pod p1 testing-label-',
    /TESTING-LABEL\np1 .* value\npod\/p1 unlabeled/,
  ],
  ['annotate', 'kubectl annotate pod p1 note=1', /^pod\/p1 annotated$/m],
  ['taint', 'kubectl taint node n1 k=v:NoSchedule', /^node\/n1 tainted$/m],
  [
    'patch-status',
    'kubectl patch pod p1 --subresource=status --type=merge -p \'{"status":{"message":"m"}}\'',
    /^pod\/p1 patched$/m,
  ],
  ['create-deploy', `kubectl create deployment d3 --image=${image} --port=80`, /^deployment.apps\/d3 created$/m],
  ['expose', 'kubectl expose deployment d3 --port=80', /^service\/d3 exposed$/m],
  [
    'autoscale',
    'kubectl autoscale deployment d3 --min=1 --max=3 --cpu-percent=50',
    /^horizontalpodautoscaler.autoscaling\/d3 autoscaled$/m,
  ],
  ['create-cm', 'kubectl create configmap cm --from-literal=a=b', /^configmap\/cm created$/m],
  ['create-list', 'kubectl create -f list.yaml', /^configmap\/listed created\nservice\/listed created$/m],
  [
    'create-wrong-list',
    'kubectl create -f wrong-list.yaml',
    /unknown field "portz" in io.k8s.api.core.v1.ServiceSpec/,
    1,
  ],
  ['create-secret', 'kubectl create secret generic s --from-literal=a=b', /^secret\/s created$/m],
  ['create-ns', 'kubectl create namespace other', /^namespace\/other created$/m],
  ['create-sa', 'kubectl create serviceaccount robot', /^serviceaccount\/robot created$/m],
  [
    'create-role',
    'kubectl create role reader --verb=get,list --resource=pods',
    /^role.rbac.authorization.k8s.io\/reader created$/m,
  ],
  ['create-job', `kubectl create job j --image=${image} -- true`, /^job.batch\/j created$/m],
  ['create-token', 'kubectl create token robot', /^ey[\w-]+\.[\w-]+\.[\w-]+$/m],
  ['run', `kubectl run r1 --image=${image}`, /^pod\/r1 created$/m],
  ['describe', 'kubectl describe pod p1', /^Node: +n0[\s\S]*Events:[\s\S]*Scheduled/m],
  ['events', 'kubectl events --for pod/p1', /Normal +Scheduled +Pod\/p1 +Successfully assigned default\/p1 to n0/],
  ['explain', 'kubectl explain deployment.spec.replicas', /FIELD: replicas <integer>/],
  ['auth-can-i', 'kubectl auth can-i create pods', /^yes$/m],
  ['can-i-as', 'kubectl auth can-i create pods --as=system:serviceaccount:default:default', /^no$/m, 1],
  ['auth-can-i-list', 'kubectl auth can-i --list', /^\*\.\* +\[\] +\[\] +\[\*\]$/m],
  ['auth-whoami', 'kubectl auth whoami', /^Username +kubernetes-admin$/m],
  ['cluster-info', 'kubectl cluster-info', /Kubernetes control plane.* is running at.*https:\/\/127/],
  ['get-raw-metrics', 'kubectl get --raw /readyz', /^ok$/m],
  ['top-node', 'kubectl top node', /error: Metrics API not available/, 1],
  ['top-pod', 'kubectl top pod', /error: Metrics API not available/, 1],
]

const ofStreams: Step[] = [
  ['logs', 'kubectl logs p1 --tail=1', /^two$/],
  ['logs-f', 'kubectl logs -f p1', /^one\ntwo$/],
  ['exec', 'kubectl exec p1 -- sh -c "echo out; exit 3"', /^out\n[\s\S]*exit code 3/, 3],
  ['exec-it', 'echo through | kubectl exec -i p1 -- cat', /^through$/],
  ['attach', 'kubectl attach p1', /attached/],
  ['cp', 'kubectl cp p1:/etc/hostname here && cmp here /etc/hostname && echo same', /same$/],
  [
    'debug',
    'kubectl debug p1 --image=x:1 --container=helper --attach=false && kubectl get pod p1 -o jsonpath={.spec.ephemeralContainers[0].name}',
    /helper$/,
  ],
]

const ofConformance: Step[] = [
  [
    'Kubectl client Kubectl api-versions should check if v1 is in available api versions',
    'kubectl api-versions',
    /^v1$/m,
  ],
  [
    'Kubectl client Kubectl cluster-info should check if Kubernetes control plane services is included in cluster-info',
    'kubectl cluster-info',
    /CoreDNS.* is running at/,
  ],
  [
    'Kubectl client Kubectl version should check is all data is printed',
    'kubectl version',
    /Client Version: [\s\S]*Server Version: v1\.36/,
  ],
  [
    'Kubectl client Update Demo should create and stop a replication controller',
    'kubectl create -f rc.yaml && kubectl wait --for=jsonpath={.status.readyReplicas}=1 rc/rc --timeout=10s && kubectl delete -f rc.yaml && kubectl create -f rc.yaml',
    /condition met\nreplicationcontroller "rc" deleted\nreplicationcontroller\/rc created/,
  ],
  [
    'Kubectl client Update Demo should scale a replication controller',
    'kubectl scale rc rc --replicas=2 && kubectl wait --for=jsonpath={.status.readyReplicas}=2 rc/rc --timeout=10s && kubectl get pods -l app=rc --no-headers',
    /scaled[\s\S]*condition met(\nrc-\w+ .*Running.*){2,3}$/,
  ],
  [
    'Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods',
    'kubectl describe rc rc',
    /Name: +rc[\s\S]*Replicas: +2 current \/ 2 desired[\s\S]*Created pod/,
  ],
  [
    'Kubectl client Kubectl expose should create services for rc',
    'kubectl expose rc rc --name=rm2 --port=1234 --target-port=6379 && kubectl get endpoints rm2 -o jsonpath={.metadata.name} && kubectl expose service rm2 --name=rm3 --port=2345 --target-port=6379',
    /service\/rm2 exposed[\s\S]*service\/rm3 exposed/,
  ],
  [
    'Kubectl client Kubectl patch should add annotations for pods in rc',
    'for pod in $(kubectl get pods -l app=rc -o name); do kubectl patch $pod -p \'{"metadata":{"annotations":{"x":"y"}}}\'; done',
    /pod\/rc-\w+ patched/,
  ],
  [
    "Kubectl client Kubectl replace should update a single-container pod's image",
    'kubectl get pod r1 -o json | sed s,sampan.local/busybox:1,other:2, | kubectl replace -f - && kubectl get pod r1 -o jsonpath={.spec.containers[0].image}',
    /replaced\nother:2$/,
  ],
  [
    'Kubectl client Kubectl run pod should create a pod from an image when restart is Never',
    `kubectl run never --restart=Never --image=${image} && kubectl get pod never -o jsonpath={.spec.restartPolicy}`,
    /created\nNever$/,
  ],
  [
    'Kubectl client Kubectl server-side dry-run should check if kubectl can dry-run update Pods',
    'kubectl patch pod r1 --dry-run=server -p \'{"spec":{"containers":[{"name":"r1","image":"dry:1"}]}}\' && kubectl get pod r1 -o jsonpath={.spec.containers[0].image}',
    /patched \(server dry run\)\nother:2$|patched\nother:2$/,
  ],
]

const removals: Step[] = [
  ['cordon', 'kubectl cordon n0', /^node\/n0 cordoned$/m],
  [
    'drain',
    'kubectl drain n0 --ignore-daemonsets --delete-emptydir-data --force --pod-selector=run=p1',
    /^node\/n0 drained$/m,
  ],
  ['delete-l', 'kubectl uncordon n0 && kubectl delete pod -l run=r1', /^pod "r1" deleted$/m],
  ['delete', 'kubectl delete deployment d1 --wait=false', /^deployment.apps "d1" deleted$/m],
  ['delete-wait', 'kubectl delete deployment d3 --timeout=20s', /^deployment.apps "d3" deleted$/m],
]

/** These keep running; they have tests of their own below. */
const longRunning = ['get-watch', 'port-forward', 'proxy'] as const

describe.skipIf(!hasKubectl)(withKubectl('kubectl'), () => {
  let cluster: TestCluster
  let kubectl: Kubectl
  let echo: Server
  beforeAll(async () => {
    echo = createServer(socket => socket.pipe(socket))
    await new Promise<void>(resolve => {
      echo.listen(0, '127.0.0.1', resolve)
    })
    const streams = processStreams({ logs: 'one\ntwo\n', port: () => (echo.address() as AddressInfo).port })
    cluster = await startTestCluster({ nodes: 0, findNodeStreams: () => streams })
    await cluster.addNode('n0')
    await publishClusterServices(
      cluster.client,
      {
        serviceCidr: '10.43.0.0/16',
        podCidr: '10.42.0.0/24',
        nodeAddress: '192.0.2.1',
        dnsAddress: '10.43.0.10',
        domain: 'cluster.local',
      },
      [{ nodeName: 'n0', address: '192.0.2.1', port: 6443 }],
    )
    const { server } = cluster
    kubectl = kubectlFor(server, files)
    await eventually(
      'the service account',
      async () => (await server.call('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200,
    )
  })
  afterAll(async () => {
    await cluster.stop()
    echo.close()
    kubectl.remove()
  })

  runSteps(() => kubectl, [...ofObjects, ...ofStreams, ...ofConformance])

  test('get-watch', () => kubectl.until('kubectl get pods -w', /^p1 /m), 30_000)

  test(
    'port-forward',
    () =>
      kubectl.until('kubectl port-forward p1 :80', /127\.0\.0\.1:(\d+)/, async ([, port]) => {
        expect(
          (
            await kubectl.run(
              `printf hello | timeout 5 node -e 'const s=require("net").connect(${port},"127.0.0.1");s.write("hello");s.on("data",d=>{console.log(String(d));process.exit()})'`,
            )
          ).output,
        ).toBe('hello')
      }),
    30_000,
  )

  test(
    'proxy, Kubectl client Proxy server should support proxy with --port 0 [Conformance]',
    () =>
      kubectl.until('kubectl proxy --port=0', /127\.0\.0\.1:(\d+)/, async ([, port]) => {
        expect(await (await fetch(`http://127.0.0.1:${port}/api/`)).json()).toMatchObject({
          kind: 'APIVersions',
          versions: ['v1'],
        })
      }),
    30_000,
  )

  test(
    'Kubectl client Proxy server should support --unix-socket=/path [Conformance]',
    () =>
      kubectl.until('kubectl proxy --unix-socket=socket', /Starting to serve on socket/, async () => {
        expect((await kubectl.run('curl -s --unix-socket socket http://localhost/api/')).output).toContain('"versions"')
      }),
    30_000,
  )

  runSteps(() => kubectl, removals)
})

const recorded = join(
  process.env.SAMPAN_REFERENCE ?? fileURLToPath(new URL('../../../shared/reference', import.meta.url)),
  'kubectl-1.32-requests.md',
)
if (!existsSync(recorded))
  console.log('skipped: the recorded commands are not on this machine; SAMPAN_REFERENCE names their folder')
test.skipIf(!existsSync(recorded))('every recorded command is run', () => {
  const names = [...readFileSync(recorded, 'utf8').matchAll(/^## (.*)$/gm)].map(([, name]) => name)
  const run = new Set<string | undefined>([
    ...[...ofObjects, ...ofStreams, ...removals].map(([name]) => name),
    ...longRunning,
  ])
  expect(names.filter(name => !run.has(name))).toEqual([])
})
