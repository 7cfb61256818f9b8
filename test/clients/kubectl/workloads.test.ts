// Deployments, DaemonSets, StatefulSets and CronJobs as people handle them: apply over defaults, conflicts, scale
// with a condition, history, rollback and pause. There are no nodes: pods stay pending.
import { expect, test } from 'vitest'
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const workload = (kind: string, name: string, image: string, more = ''): string => `apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}${more}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: c, image: "${image}"}]}
`
const files = {
  'rolling.yaml': workload(
    'Deployment',
    'd',
    'i:1',
    '\n  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}',
  ),
  'recreate.yaml': workload('Deployment', 'd', 'i:1', '\n  strategy: {type: Recreate}'),
  'r1.yaml': workload('Deployment', 'r', 'i:1', '\n  replicas: 3'),
  'r2.yaml': workload('Deployment', 'r', 'i:2', '\n  replicas: 3'),
  'old.yaml': workload('Deployment', 'r', 'i:2').replace(
    '{name: r}',
    '{name: r, resourceVersion: "1", labels: {a: b}}',
  ),
  'ds1.yaml': workload('DaemonSet', 'ds', 'i:1'),
  'ds2.yaml': workload('DaemonSet', 'ds', 'i:2'),
  'sts1.yaml': workload('StatefulSet', 'sts', 'i:1', '\n  serviceName: sts\n  replicas: 0'),
  'sts2.yaml': workload('StatefulSet', 'sts', 'i:2', '\n  serviceName: sts\n  replicas: 0'),
  'cron.yaml':
    '{apiVersion: batch/v1, kind: CronJob, metadata: {name: never}, spec: {schedule: "59 23 31 2 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}}}',
}
/** Waits until kubectl shows it, for what control loops do. */
const shows = (what: string, expected: string): string =>
  `until kubectl get ${what} | grep -q '${expected}'; do sleep 0.1; done`

describeKubectl('workloads', { files, controlLoops: true }, kubectl => {
  runSteps(kubectl, [
    [
      'another strategy drops what was defaulted for the old one',
      'kubectl apply -f rolling.yaml && kubectl apply -f recreate.yaml && kubectl get deploy d -o jsonpath={.spec.strategy}',
      /configured\n\{"type":"Recreate"\}$/,
    ],
    [
      'scale as a table',
      'kubectl scale deploy d --replicas=2 && kubectl get deploy d --subresource=scale',
      /scaled\nNAME +DESIRED +AVAILABLE +AGE\nd +2 +\d +\d+s$/,
    ],
    [
      'scale only from what it is',
      'kubectl scale deploy d --current-replicas=9 --replicas=3',
      /^error: Expected replicas to be 9, was 2$/,
      1,
    ],
    [
      'scale only at a revision',
      'kubectl scale deploy d --resource-version=9 --replicas=3',
      /^error: Expected resource version to be 9, was \d+$/,
      1,
    ],
    [
      'fewer than none',
      `kubectl patch deploy d --subresource=scale --type=merge -p '{"spec":{"replicas":-2}}'`,
      /^The Scale "d" is invalid: spec.replicas: Invalid value: -2: must be greater than or equal to 0$/,
      1,
    ],
    [
      'pods have no scale',
      'kubectl scale namespace default --replicas=2',
      /\(NotFound\): the server could not find the requested resource$/,
      1,
    ],
    [
      'an old revision in the manifest',
      'kubectl apply -f r1.yaml && kubectl apply -f old.yaml',
      /\(Conflict\)[\s\S]*the object has been modified/,
      1,
    ],
    [
      'an old revision, by force',
      'kubectl apply -f old.yaml --force --grace-period=10 && kubectl delete deploy r',
      /configured\n.*deleted$/,
    ],
    [
      'a rollback to where it is',
      `kubectl apply -f r1.yaml && ${shows('deploy r -o jsonpath={.status.observedGeneration}', '1')} && kubectl rollout undo deploy r --to-revision=1`,
      /skipped rollback \(current template already matches revision 1\)$/,
    ],
    [
      'a rollback',
      `kubectl apply -f r2.yaml && ${shows('rs -o jsonpath={..metadata.annotations}', 'revision":"2"')} && kubectl rollout undo deploy r && kubectl get deploy r -o jsonpath={..image}`,
      /rolled back\ni:1$/,
    ],
    [
      'the old revision is the newest',
      `${shows('rs -o jsonpath={..metadata.annotations}', 'revision-history":"1"')} && kubectl rollout history deploy r`,
      /REVISION +CHANGE-CAUSE\n2 +<none>\n3 +<none>$/,
    ],
    [
      'a revision that never was',
      'kubectl rollout undo deploy r --to-revision=1000000',
      /^error: unable to find specified revision 1000000 in history$/,
      1,
    ],
    [
      'a revision that is not the running one',
      'kubectl rollout status deploy/r --revision=2',
      /^error: desired revision \(2\) is different from the running revision \(3\)$/,
      1,
    ],
    [
      'paused',
      'kubectl rollout pause deploy r && kubectl rollout undo deploy r',
      /paused\nerror: you cannot rollback a paused deployment/,
      1,
    ],
    ['paused, no restart', 'kubectl rollout restart deploy r', /can't restart paused deployment/, 1],
    [
      'resumed',
      'kubectl rollout resume deploy r && kubectl rollout restart deploy r && kubectl get deploy r -o jsonpath={.metadata.managedFields[*].manager} --show-managed-fields',
      /resumed\n.*restarted\n.*kubectl-rollout/,
    ],
    [
      'a container that it has not',
      'kubectl set image deploy r redis=redis',
      /^error: unable to find container named "redis"$/,
      1,
    ],
    [
      'a request above the limit',
      'kubectl set resources deploy r --limits=cpu=200m --requests=cpu=1',
      /requests: Invalid value: "1": must be less than or equal to cpu limit of 200m$/,
      1,
    ],
    [
      'history of a DaemonSet, with its causes',
      `kubectl apply -f ds1.yaml --record 2>/dev/null && ${shows('controllerrevisions', 'daemonset.apps/ds')} && kubectl apply -f ds2.yaml --record && ${shows('controllerrevisions -o jsonpath={.items[*].revision}', '2')} && kubectl rollout history ds/ds`,
      /\n1 +kubectl apply --filename=ds1.yaml --record=true\n2 +kubectl apply --filename=ds2.yaml --record=true$/,
    ],
    [
      'a rollback of a DaemonSet',
      'kubectl rollout undo ds ds --to-revision=1 && kubectl get ds ds -o jsonpath={..image}',
      /rolled back\ni:1$/,
    ],
    [
      'history of a StatefulSet',
      `kubectl apply -f sts1.yaml && ${shows('controllerrevisions', 'statefulset.apps/sts')} && kubectl apply -f sts2.yaml && ${shows('controllerrevisions -l app=sts -o jsonpath={.items[*].revision}', '2')} && kubectl rollout undo sts sts && kubectl get sts sts -o jsonpath={..image}`,
      /rolled back\ni:1$/,
    ],
    [
      'a StatefulSet that changes what it may not',
      `kubectl patch sts sts --type=merge -p '{"spec":{"serviceName":"x"}}'`,
      /spec: Forbidden: updates to statefulset spec for fields other than 'replicas'/,
      1,
    ],
    [
      'a schedule that never comes',
      `kubectl apply -f cron.yaml && ${shows('events', 'InvalidSchedule')} && kubectl events --for=CronJob/never --types=Warning --no-headers`,
      /Warning +InvalidSchedule +CronJob\/never +invalid schedule: 59 23 31 2 \* : time difference between two schedules is less than 1 second$/,
    ],
    [
      'orphans stay',
      `kubectl delete deploy r --cascade=orphan && kubectl get rs -l app=r -o name | wc -l`,
      /deleted\n[23]$/,
    ],
  ])

  test('kubectl can tell that a revision is the current one: its bytes are those of the patch that kubectl makes', async () => {
    const { output } = await kubectl().run('kubectl get --raw /apis/apps/v1/namespaces/default/controllerrevisions')
    const template = /"data":\{"spec":\{"template":(\{.*?)\},"revision"/.exec(output)?.[1]
    expect(template).toMatch(
      /^\{"\$patch":"replace","metadata":\{.*\},"spec":\{"containers":\[\{"image":"i:\d","imagePullPolicy":.*"name":"c",.*\}\],"dnsPolicy":/,
    )
  })
})
