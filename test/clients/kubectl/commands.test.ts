// What kubectl's commands that make, show or reach things tell: run, autoscale, exec, proxy, explain, edit and what is
// kept for a later apply.
// Source: kubernetes test/cmd (run, batch, exec, request-timeout, results, save-config, proxy).
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const files = {
  'pod.yaml':
    '{apiVersion: v1, kind: Pod, metadata: {name: test-pod, labels: {name: test-pod-label}}, spec: {automountServiceAccountToken: false, serviceAccountName: default, containers: [{name: c, image: i}]}}',
  'rc.yaml':
    '{apiVersion: v1, kind: ReplicationController, metadata: {name: frontend}, spec: {replicas: 0, selector: {app: f}, template: {metadata: {labels: {app: f}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}}}}',
}
const lastApplied = '{.metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-configuration}'

describeKubectl(
  "kubectl's commands",
  { files, controlLoops: true, before: 'until kubectl get sa default; do sleep 0.1; done' },
  kubectl => {
    runSteps(kubectl, [
      [
        'run, dry',
        'kubectl run n --image=i --dry-run=server && kubectl get pods',
        /^pod\/n created \(server dry run\)\nNo resources found in default namespace.$/,
      ],
      [
        'run',
        'kubectl run n --image=validname && kubectl get pod n -o jsonpath={.spec.containers[*].image}{.metadata.labels} && kubectl delete pod n',
        /^pod\/n created\nvalidname\{"run":"n"\}pod "n" deleted/,
      ],
      [
        'run what is no image',
        'kubectl run n --image=InvalidImageName',
        /^error: Invalid image name "InvalidImageName": invalid reference format$/,
        1,
      ],
      [
        'a pod that is not there',
        'kubectl get pod/no-such-pod',
        /^Error from server \(NotFound\): pods "no-such-pod" not found$/,
        1,
      ],
      [
        'exec in a pod that is not there',
        'kubectl exec abc -- date',
        /^Error from server \(NotFound\): pods "abc" not found$/,
        1,
      ],
      [
        'exec in a pod without a node',
        'kubectl create -f pod.yaml && kubectl exec test-pod -- date',
        /\nError from server \(BadRequest\): pod test-pod does not have a host assigned$/,
        1,
      ],
      [
        'exec in a container that is not there',
        'kubectl exec test-pod -c other -- date',
        /^Error from server \(BadRequest\): container other is not valid for pod test-pod$/,
        1,
      ],
      ['logs of a pod without a node', 'kubectl logs test-pod', /^$/],
      [
        'exec in what has no pods',
        'kubectl create cm m && kubectl exec cm/m -- date',
        /cannot attach to \*v1.ConfigMap: selector for \*v1.ConfigMap not implemented$/,
        1,
      ],
      [
        'port-forward to a pod that does not run',
        'kubectl port-forward test-pod 80',
        /^error: unable to forward port because pod is not running. Current status=Pending$/,
        1,
      ],
      ['a watch ends with its time', 'kubectl get pod test-pod --request-timeout=1 --watch', /test-pod +0\/1 +Pending/],
      [
        'a time that is none',
        'kubectl get pod test-pod --request-timeout=1p',
        /^error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit/,
        1,
      ],
      [
        'edit keeps what was applied',
        `EDITOR="sed -i s/test-pod-label/edited/" kubectl edit pod test-pod --save-config && kubectl get pod test-pod -o jsonpath='${lastApplied}'`,
        /^pod\/test-pod edited\n\{.*"name":"edited".*\}$/,
      ],
      [
        'replace keeps what was applied',
        `kubectl replace -f pod.yaml --save-config && kubectl get pod test-pod -o jsonpath='${lastApplied}'`,
        /^pod\/test-pod replaced\n\{.*"name":"test-pod-label".*\}$/,
      ],
      [
        'expose',
        `kubectl create -f rc.yaml && kubectl expose rc frontend --save-config --port=80 --target-port=8000 && kubectl get svc frontend -o jsonpath='{.spec.selector}{.spec.ports}'`,
        /exposed\n\{"app":"f"\}\[\{"port":80,"protocol":"TCP","targetPort":8000\}\]$/,
      ],
      [
        'autoscale',
        'kubectl autoscale -f rc.yaml --save-config --max=2 --cpu-percent=70 2>/dev/null && kubectl get hpa',
        /^horizontalpodautoscaler.autoscaling\/frontend autoscaled\nNAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE\nfrontend +ReplicationController\/frontend +cpu: <unknown>\/70% +1 +2 +0 +/,
      ],
      [
        'autoscale what is autoscaled',
        'kubectl autoscale rc frontend --max=2',
        /(?:^|\n)Error from server \(AlreadyExists\): horizontalpodautoscalers.autoscaling "frontend" already exists$/,
        1,
      ],
      [
        'autoscale the wrong way round',
        'kubectl delete hpa frontend && kubectl autoscale rc frontend --min=3 --max=2',
        /--max=MAXPODS must be larger or equal to --min=MINPODS, max: 2, min: 3$/,
        1,
      ],
      [
        'a job of a cron job, dry',
        `kubectl create cronjob pi --schedule="59 23 31 2 *" --image=i -- sleep 1 && kubectl create job j --from=cronjob/pi --dry-run=server && kubectl create job j --from=cronjob/pi && kubectl get job j -o jsonpath='{.metadata.annotations}{.metadata.ownerReferences[*].kind}'`,
        /created\njob.batch\/j created \(server dry run\)\njob.batch\/j created\n\{"cronjob.kubernetes.io\/instantiate":"manual"\}CronJob$/,
      ],
      [
        'explain what stands beside a reference',
        'kubectl explain pod.spec',
        /\n {2}affinity\t<Affinity>\n {4}Affinity is a group of affinity scheduling rules\.\n/,
      ],
      [
        'explain a structure',
        'kubectl explain pod',
        /\n {2}metadata\t<ObjectMeta>\n {4}Standard object's metadata: name, labels and others.\n[\s\S]*\n {2}spec\t<PodSpec>\n {4}What is wanted: the desired state.\n/,
      ],
      [
        'nothing is without a description',
        'kubectl explain pod --recursive=false; kubectl explain deployment.spec.template.spec; kubectl explain pvc.spec',
        /^(?![\s\S]*<no description>)/,
      ],
      [
        'templates',
        `kubectl get cm m -o template --template='{{.metadata.name}}' && kubectl create cm t --dry-run=client -o template --template='{{.metadata.name}}' && kubectl label cm m a=b --dry-run=server -o jsonpath={.metadata.labels}`,
        /^mt\{"a":"b"\}$/,
      ],
      ['version', 'kubectl version', /Server Version: v1\.36\./],
      [
        'proxy',
        `kubectl proxy --port=0 > proxy.txt & until grep -qs Starting proxy.txt; do sleep 0.1; done; at=$(sed 's/.* //' proxy.txt); for path in api/kubernetes api/v1/namespaces apis metrics healthz; do node -e 'fetch(process.argv[1]).then(answer => console.log(answer.status))' "http://$at/$path"; done; kill $!`,
        /^404\n200\n200\n200\n200$/,
      ],
    ])
  },
)
