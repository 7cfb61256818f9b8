// The Gateway API as people install and use it with kubectl.
import { gatewayGroup } from '../../../src/api/gateway-names.ts'
import { gatewayDefinitions } from '../../../src/gateway/kinds/all.ts'
import { safeUpgradesBinding, safeUpgradesPolicy } from '../../../src/testing/gateway-safe-upgrades.ts'
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

/** Without the policies of this gateway. */
const channel = gatewayDefinitions.filter(({ spec }) => spec.group === gatewayGroup)

const files = {
  'gateway-api.yaml': [safeUpgradesPolicy, safeUpgradesBinding, ...channel]
    .map(object => JSON.stringify(object))
    .join('\n---\n'),
  'gateway.yaml': `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ours}
spec: {controllerName: example.com/gateway, description: the usual one}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec: {gatewayClassName: ours, listeners: [{name: web, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: edge}]
  hostnames: [shop.example.com]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
`,
}

describeKubectl('the Gateway API with kubectl', { files }, kubectl => {
  runSteps(kubectl, [
    [
      'the whole channel is applied by the server',
      'kubectl apply --server-side -f gateway-api.yaml',
      /^(\S+ serverside-applied\n?){12}$/,
    ],
    [
      'it is established',
      'kubectl wait --for=condition=Established crd --all --timeout=10s',
      /^(customresourcedefinition\S+ condition met\n?){10}$/,
    ],
    [
      'a second time nothing changes',
      'kubectl get crd -o jsonpath={.items[*].metadata.resourceVersion} > before && kubectl apply --server-side -f gateway-api.yaml > /dev/null && kubectl get crd -o jsonpath={.items[*].metadata.resourceVersion} | diff before - && echo same',
      /^same$/,
    ],
    [
      'objects are applied, and a second time nothing changes',
      'kubectl apply --server-side -f gateway.yaml > first && kubectl get gc,gtw,httproute -o yaml > before && kubectl apply --server-side -f gateway.yaml | diff first - && kubectl get gc,gtw,httproute -o yaml | diff before - && echo same',
      /^same$/,
    ],
    [
      'the class in a table',
      'kubectl get gc -o wide',
      /^NAME +CONTROLLER +ACCEPTED +AGE +DESCRIPTION\nours +example.com\/gateway +Unknown +\S+ +the usual one$/,
    ],
    ['the gateway in a table', 'kubectl get gtw', /^NAME +CLASS +ADDRESS +PROGRAMMED +AGE\nedge +ours +Unknown +\d+s$/],
    ['the route in a table', 'kubectl get httproute', /^NAME +HOSTNAMES +AGE\nshop +\["shop.example.com"\] +\d+s$/],
    ['by category', 'kubectl get gateway-api -o name', /^gateway\S+\/ours\ngateway\S+\/edge\nhttproute\S+\/shop$/],
    [
      'explained',
      'kubectl explain httproute.spec.rules',
      /^GROUP: +gateway.networking.k8s.io\nKIND: +HTTPRoute\nVERSION: +v1\n\nFIELD: rules <\[\]Object>\n[\s\S]*\n  backendRefs\t<\[\]Object>\n[\s\S]*\n  timeouts\t<Object>/,
    ],
    [
      'explained to the bottom',
      'kubectl explain httproute.spec.rules.filters.cors.allowMethods && kubectl explain gateway --recursive',
      /FIELD: allowMethods <\[\]string>[\s\S]*\n {12}caCertificateRefs\t<\[\]Object> -required-\n/,
    ],
    [
      'a rule is told',
      `kubectl patch gtw edge --type=merge -p '{"spec":{"listeners":[{"name":"a","port":1,"protocol":"TLS"}]}}'`,
      /^The Gateway "edge" is invalid: spec.listeners: Invalid value: .*: tls mode must be set for protocol TLS$/,
      1,
    ],
  ])
})
