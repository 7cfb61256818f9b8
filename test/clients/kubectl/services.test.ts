// Services over their updates: which address and which node port stay, and what may not change.
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const files = {
  'address-11.yaml':
    '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.43.0.11, ports: [{port: 80}]}}',
  'address-12.yaml':
    '{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: 10.43.0.12, ports: [{port: 80}]}}',
  'ports.yaml':
    '{apiVersion: v1, kind: Service, metadata: {name: ports}, spec: {type: NodePort, ports: [{name: web, port: 80, nodePort: 30080}, {name: api, port: 81, nodePort: 30081}]}}',
  'pod.yaml':
    '{apiVersion: v1, kind: Pod, metadata: {name: p, labels: {app: p}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}]}]}}',
}

describeKubectl(
  'services',
  { files, before: 'kubectl create serviceaccount default; kubectl create -f pod.yaml' },
  kubectl => {
    runSteps(kubectl, [
      [
        'another address than the one it has',
        'kubectl apply -f address-11.yaml && kubectl apply -f address-12.yaml',
        /created\nThe Service "a" is invalid: spec.clusterIPs\[0\]: Invalid value: \["10.43.0.12"\]: may not change once set$/,
        1,
      ],
      [
        '--force makes it anew',
        'kubectl apply -f address-12.yaml --force && kubectl get svc a -o jsonpath={.spec.clusterIP}',
        /^service\/a configured\n10.43.0.12$/,
      ],
      [
        'replaced without its address, it keeps it',
        `kubectl get svc a -o json | grep -v clusterIP | sed 's/"10.43.0.12"//' > bare.json; kubectl get svc a -o jsonpath={.spec.clusterIP}`,
        /^10.43.0.12$/,
      ],
      [
        'a node port belongs to the name of its port',
        `kubectl apply -f ports.yaml && kubectl patch svc ports --type=merge -p '{"spec":{"ports":[{"name":"web","port":8080},{"name":"api","port":81}]}}' && kubectl get svc ports -o jsonpath='{.spec.ports[*].nodePort}'`,
        /patched\n30080 30081$/,
      ],
      [
        'unless another port has it now',
        `kubectl patch svc ports --type=merge -p '{"spec":{"ports":[{"name":"web","port":8080},{"name":"other","port":82,"nodePort":30080}]}}' && kubectl get svc ports -o jsonpath='{.spec.ports[1].nodePort} {.spec.ports[0].nodePort}'`,
        /patched\n30080 (?!30080)3\d{4}$/,
      ],
      [
        'no node ports any more',
        `kubectl patch svc ports -p '{"spec":{"type":"ClusterIP"}}' && kubectl get svc ports -o jsonpath='{.spec.type}{.spec.ports[*].nodePort}{.spec.externalTrafficPolicy}'`,
        /patched\nClusterIP$/,
      ],
      [
        'no address any more',
        `kubectl patch svc ports -p '{"spec":{"type":"ExternalName","externalName":"a.example.com"}}' && kubectl get svc ports -o jsonpath='{.spec.type}{.spec.clusterIP}{.spec.ipFamilies}'`,
        /patched\nExternalName$/,
      ],
      [
        'an address again',
        `kubectl patch svc ports -p '{"spec":{"type":"ClusterIP"}}' && kubectl get svc ports -o jsonpath='{.spec.clusterIP}'`,
        /patched\n10\.43\.\d+\.\d+$/,
      ],
      [
        'a node port outside the range',
        'kubectl create service nodeport np --tcp=80:80 --node-port=99',
        /spec.ports\[0\].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid ports is 30000-32767$/,
        1,
      ],
      [
        'a node port twice',
        'kubectl create service nodeport n1 --tcp=80:80 --node-port=30099 && kubectl create service nodeport n2 --tcp=80:80 --node-port=30099',
        /created\n.*spec.ports\[0\].nodePort: Invalid value: 30099: provided port is already allocated$/,
        1,
      ],
      [
        'set selector with a revision long gone',
        'kubectl set selector svc n1 a=b --resource-version=1',
        /^Error from server \(Conflict\)/,
        1,
      ],
      [
        'a pod and its service at once',
        'kubectl run web --image=i --port=80 --expose && kubectl get svc web -o jsonpath="{.spec.selector}{.spec.ports[0].port}"',
        /^service\/web created\npod\/web created\n\{"run":"web"\}80$/,
      ],
      [
        'exposed with an annotation',
        `kubectl expose pod p --port=1000 --target-port=80 --type=NodePort --name=em --overrides='{"metadata":{"annotations":{"zone":"work"}}}' && kubectl get svc em -o jsonpath='{.metadata.annotations}{.metadata.managedFields[*].manager}'`,
        /exposed\n\{"zone":"work"\}kubectl-expose$/,
      ],
      [
        'a name that is too long',
        `kubectl expose pod p --port=80 --name=${'n'.repeat(64)}`,
        /metadata.name: Invalid value: "n+": must be no more than 63 (bytes|characters)$/,
        1,
      ],
    ])
  },
)
