// Pods over their life without a node: what may change, gates, containers that are added to debug.
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const files = {
  'gated.yaml':
    '{apiVersion: v1, kind: Pod, metadata: {name: gated}, spec: {schedulingGates: [{name: example.com/gate}], containers: [{name: c, image: i}]}}',
  'binding.yaml': '{apiVersion: v1, kind: Binding, metadata: {name: gated}, target: {kind: Node, name: node-1}}',
  'ephemeral.yaml':
    '{apiVersion: v1, kind: Pod, metadata: {name: e}, spec: {containers: [{name: c, image: i}], ephemeralContainers: [{name: d, image: i}]}}',
}

describeKubectl('pods', { files, before: 'kubectl create serviceaccount default' }, kubectl => {
  const patch = (spec: string): string => `kubectl patch pod p -p '{"spec":${spec}}'`
  runSteps(kubectl, [
    [
      'no deadline, then one',
      `kubectl run p --image=i --labels=app=p && ${patch('{"activeDeadlineSeconds":30}')}`,
      /created\npod\/p patched$/,
    ],
    [
      'a later deadline',
      patch('{"activeDeadlineSeconds":60}'),
      /spec.activeDeadlineSeconds: Invalid value: 60: must be less than or equal to previous value$/,
      1,
    ],
    [
      'no deadline any more',
      patch('{"activeDeadlineSeconds":null}'),
      /must not update from a positive integer to nil value$/,
      1,
    ],
    ['one more toleration', patch('{"tolerations":[{"key":"a","operator":"Exists"}]}'), /patched$/],
    [
      'a gate too late',
      patch('{"schedulingGates":[{"name":"example.com/late"}]}'),
      /spec.schedulingGates\[0\]: Forbidden: only deletion is allowed, but found new scheduling gate$/,
      1,
    ],
    [
      'a container to debug with',
      'kubectl debug p --image=busybox -c debugger --attach=false 2>/dev/null; kubectl get pod p -o jsonpath={.spec.ephemeralContainers[*].name}',
      /debugger$/,
    ],
    [
      'the pod can still be changed',
      'kubectl annotate pod p a=b && kubectl label pod p c=d && kubectl set image pod/p p=j',
      /annotated\npod\/p labeled\npod\/p image updated$/,
    ],
    [
      'the debugger cannot',
      `kubectl patch pod p --subresource=ephemeralcontainers -p '{"spec":{"ephemeralContainers":[{"name":"debugger","image":"other"}]}}'`,
      /existing ephemeral containers \["debugger"\] may not be changed/,
      1,
    ],
    [
      'nor go',
      `kubectl patch pod p --subresource=ephemeralcontainers --type=json -p '[{"op":"remove","path":"/spec/ephemeralContainers/0"}]'`,
      /may not be removed/,
      1,
    ],
    [
      'nor come with the pod',
      'kubectl create -f ephemeral.yaml',
      /spec.ephemeralContainers: Forbidden: cannot be set on create$/,
      1,
    ],
    [
      'a copy to debug',
      'kubectl debug p --copy-to=copy --image=busybox -c debugger --attach=false --share-processes 2>/dev/null; kubectl get pod copy -o jsonpath="{.spec.containers[*].name} {.spec.shareProcessNamespace}"',
      /p debugger true$/,
    ],
    ['gated', 'kubectl create -f gated.yaml && kubectl get pod gated --no-headers', /gated +0\/1 +SchedulingGated/],
    [
      'nobody binds it meanwhile',
      'kubectl create -f binding.yaml',
      /\(Conflict\): .*Operation cannot be fulfilled on pods\/binding "gated": pod gated has non-empty .spec.schedulingGates$/,
      1,
    ],
    [
      'a field manager with a long name',
      `kubectl label pod gated x=y --field-manager=${'m'.repeat(129)}`,
      /fieldManager: Too long: may not be more than 128 bytes$/,
      1,
    ],
    [
      'a field manager whose name cannot be printed',
      `kubectl label pod gated x=y --field-manager="$(printf 'ö\\001a\\002')"`,
      /fieldManager: Invalid value: "ö\\x01a\\x02": invalid character U\+0001 \(at position 2\)\n.*: invalid character U\+0002 \(at position 4\)$/,
      1,
    ],
    [
      'more than fits',
      'head -c 1100000 /dev/zero | tr "\\0" a > big && kubectl create configmap big --from-file=big',
      /ConfigMap "big" is invalid: \[\]: Too long: may not be more than 1048576 bytes$/,
      1,
    ],
  ])
})
