// What kubectl tells of patches that do not fit, and of bodies of another kind than the path's: the sentences
// are the server's, and people search the web for them.
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: foos.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: foos, kind: Foo}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`
const files = {
  'pod.yaml':
    '{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {name: p}}, spec: {containers: [{name: c, image: i}]}}',
  'cm.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: cm}, data: {a: b}}',
  'cm-number.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: cm}, data: {a: 1}}',
  'foo.yaml':
    '{apiVersion: example.com/v1, kind: Foo, metadata: {name: test}, someField: field1, nested: {one: 1, two: 2}}',
  'crd.yaml': definition,
}

describeKubectl(
  'kubectl patch',
  {
    files,
    before: 'kubectl create serviceaccount default; kubectl create -f pod.yaml -f crd.yaml; kubectl apply -f cm.yaml',
  },
  kubectl => {
    runSteps(kubectl, [
      [
        'a number where text belongs',
        `kubectl patch cm cm -p '{"data":{"k":1}}'`,
        /^The request is invalid: patch: Invalid value: "map\[data:map\[k:1\]\]": cannot convert int64 to string$/,
        1,
      ],
      [
        'a number where text belongs, applied',
        'kubectl apply --validate=false -f cm-number.yaml',
        /patch: Invalid value: "map\[data:map\[a:1\] metadata:map\[annotations:map\[.*\]\]\]": cannot convert int64 to string$/s,
        1,
      ],
      [
        'the same as a merge patch',
        `kubectl patch cm cm --type=merge -p '{"data":{"k":1}}'`,
        /^The request is invalid: patch: Invalid value: "\{.*\\"k\\":1.*\}": json: cannot unmarshal number into Go struct field ConfigMap.data of type string$/,
        1,
      ],
      [
        'text where a map belongs',
        `kubectl patch pod p -p '{"metadata":{"labels":"x"}}'`,
        /^The request is invalid: patch: Invalid value: "map\[metadata:map\[labels:x\]\]": cannot restore map from string$/,
        1,
      ],
      [
        'text where a list belongs',
        `kubectl patch pod p -p '{"spec":{"tolerations":[null,"x"]}}'`,
        /: cannot restore struct from: string$/,
        1,
      ],
      [
        'text where a number belongs',
        `kubectl patch pod p -p '{"spec":{"activeDeadlineSeconds":"x"}}'`,
        /"map\[spec:map\[activeDeadlineSeconds:x\]\]": unrecognized type: int64$/,
        1,
      ],
      [
        'text where a structure belongs',
        `kubectl patch pod p -p '{"spec":{"securityContext":"x"}}'`,
        /: cannot restore struct from: string$/,
        1,
      ],
      [
        'a fraction of a second',
        `kubectl patch pod p -p '{"spec":{"activeDeadlineSeconds":1.5}}'`,
        /activeDeadlineSeconds:1\.5\]\]": cannot convert float64 to int64$/,
        1,
      ],
      [
        'labels of a custom resource',
        `kubectl create -f foo.yaml && kubectl patch foo test --type=merge -p '{"metadata":{"labels":"x"}}'`,
        /The request is invalid: patch: Invalid value: .*: json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map\[string\]string$/,
        1,
      ],
      [
        'a custom resource has no strategic merge',
        `kubectl patch foo test -p '{"a":1}'`,
        /application\/strategic-merge-patch\+json is not supported by example.com\/v1, Kind=Foo/,
        1,
      ],
      [
        'a JSON patch that is no list',
        `kubectl patch pod p --type=json -p '{"op":"remove"}'`,
        /^Error from server \(BadRequest\): error decoding patch: json: cannot unmarshal object into Go value of type \[\]handlers.jsonPatchOp$/,
        1,
      ],
      [
        'a JSON patch whose test fails',
        `kubectl patch pod p --type=json -p '[{"op":"test","path":"/spec/containers/0/image","value":"other"}]'`,
        /^The request is invalid: the server rejected our request due to an error in our request$/,
        1,
      ],
      [
        'another kind',
        `kubectl patch pod p --type=merge -p '{"kind":"ConfigMap"}'`,
        /^The request is invalid: patch: Invalid value: "\{.*\}": converting \(v1.ConfigMap\) to \(core.Pod\): unknown conversion$/,
        1,
      ],
      [
        'a kind that does not exist',
        `kubectl patch pod p --type=json -p '[{"op":"replace","path":"/kind","value":"Foo"}]'`,
        /": no kind "Foo" is registered for version "v1" in scheme "pkg\/api\/legacyscheme\/scheme.go:30"$/,
        1,
      ],
      [
        'a version that does not exist',
        `kubectl patch pod p --type=merge -p '{"apiVersion":"v9"}'`,
        /": no kind "Pod" is registered for version "v9" in scheme /,
        1,
      ],
      [
        'no kind at all is the one of the path',
        `kubectl patch pod p --type=merge -p '{"kind":null}'`,
        /^pod\/p patched \(no change\)$/,
      ],
      [
        'no version at all',
        `kubectl patch pod p --type=merge -p '{"apiVersion":null}'`,
        /\(BadRequest\): the name of the object \(p based on URL\) was undeterminable: name must be provided$/,
        1,
      ],
      [
        'a strategic patch never makes another kind',
        `kubectl patch pod p -p '{"kind":"ConfigMap","apiVersion":"v9"}'`,
        /^pod\/p patched \(no change\)$/,
      ],
      [
        'another kind of custom resource',
        `kubectl patch foo test --type=merge -p '{"kind":"Bar"}'`,
        /^The Foo "test" is invalid: kind: Invalid value: "Bar": must be Foo$/,
        1,
      ],
      [
        'a custom resource without a kind',
        `kubectl patch foo test --type=merge -p '{"kind":null}'`,
        /^The request is invalid: patch: Invalid value: .*: Object 'Kind' is missing in '\{.*\}'$/,
        1,
      ],
      [
        'a version that a custom resource has not',
        `kubectl patch foo test --type=merge -p '{"apiVersion":"example.com/v9"}'`,
        /: request to convert CR from an invalid group\/version: example.com\/v9$/,
        1,
      ],
      [
        'a revision that is not the current one',
        `kubectl patch pod p -p '{"metadata":{"resourceVersion":"99999"}}'`,
        /\(Conflict\): .*the object has been modified; please apply your changes to the latest version and try again$/,
        1,
      ],
      [
        'nothing to change',
        `kubectl patch pod p -p '{"metadata":{"labels":{"name":"p"}}}'`,
        /^pod\/p patched \(no change\)$/,
      ],
      [
        'a field of a custom resource goes',
        `kubectl patch foo test --type=merge -p '{"someField":null}' && kubectl get foo test -o jsonpath='{.someField}{.nested}'`,
        /patched\n\{"one":1,"two":2\}$/,
      ],
      [
        'apply takes away what it gave',
        `kubectl delete foo test && kubectl apply -f foo.yaml && sed 's/, two: 2//' foo.yaml | kubectl apply -f - && kubectl get foo test -o jsonpath={.nested}`,
        /created\n.*configured\n\{"one":1\}$/,
      ],
      [
        'an owner named twice',
        `echo '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"owned","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x","uid":"1"},{"apiVersion":"v1","kind":"Pod","name":"x","uid":"1"}]}}' | kubectl create -f - && kubectl get cm owned -o jsonpath={.metadata.ownerReferences[*].uid}`,
        /^Warning: .metadata.ownerReferences contains duplicate entries; .*; duplicate UID\(s\) observed: 1\nconfigmap\/owned created\n1$/,
      ],
      [
        'a body without a name',
        `echo '{"apiVersion":"v1","kind":"ConfigMap"}' | kubectl replace --raw /api/v1/namespaces/default/configmaps/cm -f -`,
        /\(BadRequest\): the name of the object \(cm based on URL\) was undeterminable: name must be provided$/,
        1,
      ],
      [
        'a body of another kind',
        'kubectl get cm cm -o json | kubectl create --raw /api/v1/namespaces -f -',
        /^Error from server \(BadRequest\): ConfigMap in version "v1" cannot be handled as a Namespace: converting \(v1.ConfigMap\) to \(core.Namespace\): unknown conversion$/,
        1,
      ],
      [
        'a body of a kind that does not exist',
        `echo '{"apiVersion":"v1","kind":"Foo"}' | kubectl create --raw /apis/apps/v1/namespaces/default/deployments -f -`,
        /: Foo in version "v1" cannot be handled as a Deployment: no kind "Foo" is registered for version "v1" in scheme "pkg\/api\/legacyscheme\/scheme.go:30"$/,
        1,
      ],
    ])
  },
)
