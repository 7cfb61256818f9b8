// kubectl apply beyond one object: client-side and server-side in turn, pruning, sets, directories, and files in
// which something is wrong.
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const pod = (name: string, image = 'i:1', more = ''): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {group: mine}${more}}, spec: {containers: [{name: c, image: "${image}"}]}}`
const files = {
  'p1.yaml': pod('p', 'i:1'),
  'p2.yaml': pod('p', 'i:2'),
  'a.yaml': pod('a'),
  'b.yaml': pod('b'),
  'three.yaml': ['pod-a', 'POD-B', 'pod-c'].map(name => pod(name)).join('\n---\n'),
  'elsewhere.yaml': pod('x', 'i:1', ', namespace: other'),
  'missing-kind.yaml':
    '{apiVersion: v1, kind: ConfigMap, metadata: {name: made}}\n---\n{apiVersion: example.com/v1, kind: Bogus, metadata: {name: b}}',
  'service.yaml': '{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 80}]}}',
  'map.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {key: value, legacy: unused}}',
  'map-less.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: m}, data: {key: value}}',
}

describeKubectl(
  'kubectl apply',
  { files, controlLoops: true, before: 'until kubectl get sa default; do sleep 0.1; done' },
  kubectl => {
    runSteps(kubectl, [
      [
        'dry, nothing is written',
        'kubectl apply -f p1.yaml --dry-run=server && kubectl apply -f p1.yaml --dry-run=client && kubectl get pods',
        /\(server dry run\)\npod\/p created \(dry run\)\nNo resources found/,
      ],
      [
        'nothing to do',
        'kubectl apply -f p1.yaml && kubectl diff -f p1.yaml && kubectl apply -f p1.yaml',
        /created\npod\/p unchanged$/,
      ],
      [
        'another manager conflicts',
        'kubectl apply --server-side --field-manager=not-kubectl -f p2.yaml',
        /^error: Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .spec.containers\[name="c"\].image\n/,
        1,
      ],
      [
        'kubectl itself takes over, and what it may go back to is kept',
        'kubectl apply --server-side -f p2.yaml && kubectl apply view-last-applied pod/p -o yaml',
        /serverside-applied\n[\s\S]*image: i:2$/m,
      ],
      [
        'what somebody else changed since is no longer its own',
        `kubectl create -f map.yaml --save-config && kubectl patch cm m --type=merge -p '{"data":{"key":"theirs"}}' && sed 's/value/mine/; s/unused/used/' map.yaml | kubectl apply --server-side -f -`,
        /created\nconfigmap\/m patched\nerror: Apply failed with 1 conflict: conflict with "kubectl-patch" using v1: .data.key\n/,
        1,
      ],
      [
        'what it had applied itself is its own, whoever else wrote it too',
        `kubectl patch cm m --type=merge -p '{"data":{"key":"value"}}' && sed 's/value/mine/' map.yaml | kubectl apply --server-side -f - && kubectl get cm m -o jsonpath={.data.key} && kubectl delete cm m`,
        /serverside-applied\nmineconfigmap "m" deleted/,
      ],
      [
        'an annotation of another version allows nothing',
        `kubectl create -f map.yaml --save-config && kubectl annotate cm m --overwrite kubectl.kubernetes.io/last-applied-configuration='{"apiVersion":"v9","kind":"ConfigMap","metadata":{"name":"m"},"data":{"key":"value"}}' && sed 's/value/mine/' map.yaml | kubectl apply --server-side -f -; kubectl delete cm m`,
        /Apply failed with 1 conflict: conflict with "kubectl-create" using v1: .data.key/,
      ],
      [
        'back to the client side',
        'kubectl apply -f p1.yaml && kubectl get pod p -o jsonpath={.spec.containers[0].image}',
        /configured\ni:1$/,
      ],
      [
        'what is left out goes, applied one way and the other',
        'kubectl apply -f map.yaml && kubectl apply --server-side -f map.yaml && kubectl apply --server-side -f map-less.yaml && kubectl get cm m -o jsonpath={.data}',
        /serverside-applied\n\{"key":"value"\}$/,
      ],
      [
        'pruned by label',
        'kubectl delete pod p && kubectl apply --prune -l group=mine -f a.yaml 2>/dev/null && kubectl apply --prune -l group=mine -f b.yaml 2>/dev/null && kubectl get pods -o name',
        /pod\/b created\npod\/a pruned\npod\/b$/,
      ],
      [
        'pruned only what is listed',
        'kubectl apply --prune -l group=mine -f a.yaml --prune-allowlist=core/v1/Service && kubectl get pods -o name',
        /pod\/a created\npod\/a\npod\/b$/,
      ],
      [
        'a set forgets what is no longer in it',
        'export KUBECTL_APPLYSET=true; kubectl apply -n default --prune --applyset=mine -f service.yaml -f map-less.yaml && kubectl apply -n default --prune --applyset=mine -f map-less.yaml && kubectl get secret mine -o jsonpath={.metadata.annotations}',
        /service\/s pruned\n\{.*"applyset.kubernetes.io\/contains-group-kinds":"ConfigMap".*\}$/,
      ],
      [
        'one of three is invalid',
        'kubectl apply -f three.yaml; kubectl get pods -o name',
        /^pod\/pod-a created\npod\/pod-c created\nThe Pod "POD-B" is invalid: metadata.name: Invalid value: "POD-B": a lowercase RFC 1123 subdomain[\s\S]*pod\/pod-a\npod\/pod-c$/,
      ],
      [
        'a kind that is not there',
        'kubectl apply -f missing-kind.yaml',
        /^configmap\/made created\n.*no matches for kind "Bogus" in version "example.com\/v1"/,
        1,
      ],
      [
        'the namespace is another',
        'kubectl apply -n foo -f elsewhere.yaml',
        /the namespace from the provided object "other" does not match the namespace "foo"/,
        1,
      ],
      [
        'the namespace is not there',
        'kubectl apply -f elsewhere.yaml',
        /^Error from server \(NotFound\): error when creating "elsewhere.yaml": namespaces "other" not found$/,
        1,
      ],
    ])
  },
)
