// Acting as somebody else, roles and what they refuse, and what a server says there is.
import { describeKubectl } from '../../../src/testing/describe-kubectl.ts'
import { runSteps } from '../../../src/testing/kubectl.ts'

const files = {
  'binding.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: rb, namespace: default}
subjects: [{kind: User, name: u, apiGroup: rbac.authorization.k8s.io}]
roleRef: {kind: Role, name: missing, apiGroup: rbac.authorization.k8s.io}
`,
}

describeKubectl('access', { files }, kubectl => {
  runSteps(kubectl, [
    [
      'somebody else, with a uid',
      'kubectl auth whoami --as=u --as-uid=7 --as-group=g',
      /^ATTRIBUTE +VALUE *\nUsername +u *\nUID +7 *\nGroups +\[g system:authenticated\]$/,
    ],
    [
      'a group may have commas in its name',
      'kubectl auth whoami --as=u --as-group=g2 --as-group=g1 --as-group=,,,chameleon -o jsonpath={.status.userInfo.groups}',
      /^\["g2","g1",",,,chameleon","system:authenticated"\]$/,
    ],
    [
      'who is not known may not even ask',
      'kubectl auth whoami --as=u --as-group=system:unauthenticated',
      /selfsubjectreviews API is not enabled in the cluster or you do not have permission to call it$/,
      1,
    ],
    [
      'a binding to a role that is not there',
      'kubectl apply -f binding.yaml && kubectl get pods --as=u',
      /User "u" cannot list resource "pods" in API group "" in the namespace "default": RBAC: role.rbac.authorization.k8s.io "missing" not found$/,
      1,
    ],
    [
      'a binding keeps its role',
      `kubectl patch rolebinding rb --type=merge -p '{"roleRef":{"name":"other"}}'`,
      /roleRef: Invalid value: \{.*"name":"other"\}: cannot change roleRef$/,
      1,
    ],
    [
      'reconciled, it is made anew',
      `sed s/missing/other/ binding.yaml > other.yaml && kubectl auth reconcile -f other.yaml && kubectl get rolebinding rb -o jsonpath={.roleRef.name}`,
      /reconciled\n\treconciliation required recreate\n[\s\S]*other$/,
    ],
    [
      'nobody gives what he has not',
      'kubectl create clusterrolebinding w --clusterrole=admin --user=w && kubectl create rolebinding more --clusterrole=cluster-admin --user=w --as=w',
      /user "w" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}\n\{NonResourceURLs:\["\*"\], Verbs:\["\*"\]\}$/,
      1,
    ],
    [
      'subjects are added',
      'kubectl set subject clusterrolebinding w --user=x --group=g --serviceaccount=ns:s && kubectl get clusterrolebinding w -o wide --no-headers',
      /updated\nw +ClusterRole\/admin +\d+s +w, x +g +ns\/s$/,
    ],
    [
      'the root names every path',
      'kubectl get --raw /',
      /\{"paths":\["\/.well-known\/openid-configuration","\/api","\/api\/v1","\/apis","\/apis\/admissionregistration.k8s.io","\/apis\/admissionregistration.k8s.io\/v1",.*"\/apis\/apps","\/apis\/apps\/v1",.*"\/healthz\/etcd",.*"\/openapi\/v2","\/openapi\/v3","\/openid\/v1\/jwks","\/readyz",.*"\/version"\]\}$/,
    ],
    [
      'categories',
      'kubectl api-resources --categories=all --namespaced -o name',
      /^pods\nreplicationcontrollers\nservices\ndaemonsets.apps\ndeployments.apps\n/,
    ],
    ['in pages', 'kubectl get clusterroles --chunk-size=10 -v=6 -o name 2>&1 | grep -c "continue="', /^[2-9]$/],
  ])
})
