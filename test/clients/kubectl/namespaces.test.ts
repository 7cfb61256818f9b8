// What a namespace holds its pods to: security levels, quotas and limits; and how it goes.
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const files = {
  'with-contents.yaml': `{apiVersion: v1, kind: Namespace, metadata: {name: whole}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: one, namespace: whole}}
---
{apiVersion: v1, kind: Service, metadata: {name: two, namespace: whole}, spec: {ports: [{port: 80}]}}`,
  'limits.yaml':
    '{apiVersion: v1, kind: LimitRange, metadata: {name: lr}, spec: {limits: [{type: Container, default: {cpu: 200m}, defaultRequest: {cpu: 100m}, max: {cpu: "1"}}]}}',
  'priority-quota.yaml':
    '{apiVersion: v1, kind: ResourceQuota, metadata: {name: priority}, spec: {hard: {secrets: "1"}, scopeSelector: {matchExpressions: [{scopeName: PriorityClass, operator: Exists}]}}}',
}

describeKubectl('namespaces', { files, controlLoops: true }, kubectl => {
  const level = 'pod-security.kubernetes.io/enforce'
  runSteps(kubectl, [
    [
      'pods from before',
      'kubectl create ns strict && until kubectl get sa default -n strict; do sleep 0.1; done >/dev/null 2>&1; kubectl run a -n strict --image=i && kubectl run b -n strict --image=i',
      /created$/,
    ],
    [
      'a stricter level names the pods that it would not let in',
      `kubectl label ns strict ${level}=restricted`,
      /^Warning: existing pods in namespace "strict" violate the new PodSecurity enforce level "restricted:latest"\nWarning: a \(and 1 other pod\): allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\nnamespace\/strict labeled$/,
    ],
    ['a laxer one does not', `kubectl label ns strict ${level}=baseline --overwrite`, /^namespace\/strict labeled$/],
    [
      'a level that there is not',
      `kubectl label ns strict ${level}=bad --overwrite`,
      /^The Namespace "strict" is invalid: metadata.labels\[pod-security.kubernetes.io\/enforce\]: Invalid value: "bad": must be one of privileged, baseline, restricted$/,
      1,
    ],
    [
      'a version that there is not',
      `kubectl label ns strict ${level}-version=2`,
      /enforce-version\]: Invalid value: "2": must be "latest" or "v1.x"$/,
      1,
    ],
    [
      'a quota on what nobody counts',
      'kubectl create quota q --hard=bad=1',
      /ResourceQuota "q" is invalid: spec.hard\[bad\]: Invalid value: "bad": must be a standard resource for quota$/,
      1,
    ],
    [
      'a quota on processors of pods that ask for none',
      'kubectl create quota q --hard=cpu=1,memory=1Gi,pods=3 --scopes=BestEffort',
      /spec.scopes: Invalid value: \["BestEffort"\]: unsupported scope applied to resource/,
      1,
    ],
    [
      'a quota on secrets of a priority',
      'kubectl apply -f priority-quota.yaml',
      /spec.scopeSelector.matchExpressions: Invalid value: \{"matchExpressions":\[\{.*\}\]\}: unsupported scope applied to resource$/,
      1,
    ],
    [
      'opposite scopes',
      'kubectl create quota q --hard=pods=1 --scopes=BestEffort,NotBestEffort',
      /conflicting scopes$/,
      1,
    ],
    [
      'a quota that fits',
      'kubectl create ns few && kubectl create quota q -n few --hard=count/deployments.apps=1,requests.nvidia.com/gpu=1,configmaps=3,hugepages-2Mi=1Gi',
      /quota\/q created$/,
    ],
    [
      'as full as it may be',
      'until kubectl get quota q -n few | grep -q "configmaps: 1/3"; do sleep 0.1; done; kubectl create deploy one -n few --image=i && kubectl create deploy two -n few --image=i',
      /created\n.*deployments.apps "two" is forbidden: exceeded quota: q, requested: count\/deployments.apps=1, used: count\/deployments.apps=1, limited: count\/deployments.apps=1$/,
      1,
    ],
    [
      'limits fill in',
      `kubectl create ns limited && until kubectl get sa default -n limited; do sleep 0.1; done >/dev/null 2>&1; kubectl apply -n limited -f limits.yaml && kubectl run p -n limited --image=i && kubectl get pod p -n limited -o jsonpath='{.spec.containers[0].resources}'`,
      /\{"limits":\{"cpu":"200m"\},"requests":\{"cpu":"100m"\}\}$/,
    ],
    [
      'limits hold',
      `kubectl run big -n limited --image=i --overrides='{"spec":{"containers":[{"name":"big","image":"i","resources":{"limits":{"cpu":"2"}}}]}}'`,
      /pods "big" is forbidden: maximum cpu usage per Container is 1, but limit is 2$/,
      1,
    ],
    [
      'what stays',
      'kubectl delete ns default kube-system kube-public',
      /^(Error from server \(Forbidden\): namespaces ".*" is forbidden: this namespace may not be deleted\n?){3}$/,
      1,
    ],
    [
      'deleted with its contents, one by one',
      'kubectl create -f with-contents.yaml && kubectl delete -f with-contents.yaml && kubectl get ns whole',
      /created\nnamespace "whole" deleted\nconfigmap "one" deleted.*\nservice "two" deleted.*\nError from server \(NotFound\): namespaces "whole" not found$/,
      1,
    ],
    [
      'a finalizer holds its namespace',
      `kubectl create ns held && kubectl create cm c -n held && kubectl patch cm c -n held --type=merge -p '{"metadata":{"finalizers":["example.com/x"]}}' && kubectl delete ns held --wait=false && kubectl wait ns/held --for=jsonpath='{.status.conditions[?(@.type=="NamespaceFinalizersRemaining")].message}'='Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances' --timeout=20s`,
      /condition met$/,
    ],
    [
      'nothing new comes into it',
      'kubectl create cm late -n held',
      /configmaps "late" is forbidden: unable to create new content in namespace held because it is being terminated$/,
      1,
    ],
    [
      'no new finalizer either',
      `kubectl patch cm c -n held --type=merge -p '{"metadata":{"finalizers":["example.com/y"]}}'`,
      /metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"example.com\/y"\}$/,
      1,
    ],
    [
      'and then it goes',
      `kubectl patch cm c -n held --type=merge -p '{"metadata":{"finalizers":null}}' && kubectl wait --for=delete ns/held --timeout=20s; kubectl get ns held`,
      /\(NotFound\): namespaces "held" not found$/,
      1,
    ],
  ])
})
