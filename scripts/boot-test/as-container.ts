// Sampan's own image as a privileged pod, on control groups of version 2: what Docker does on most machines.
import { ownImagePod } from '../../src/testing/own-image-pod.ts'
import { expectMatch, expectSame, show, untilMatch, type Checks } from './checks.ts'
import { put } from './pods.ts'
import type { VirtualMachine } from './virtual-machine.ts'

const outer = ownImagePod('/work', { hostPath: { path: '/root/service' } })

const inner = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'within' },
  spec: {
    containers: [
      { name: 'main', image: 'sampan.local/service:1.0.0', resources: { limits: { memory: '96Mi', cpu: '500m' } } },
    ],
  },
}

const kubectl = 'kubectl --kubeconfig /root/inner --context inner'

export async function asContainer(machine: VirtualMachine, checks: Checks): Promise<void> {
  await checks.check("Sampan's own image runs a cluster in a privileged pod, with limits for its pods", async () => {
    await put(machine, '/root/outer.json', JSON.stringify(outer))
    await put(machine, '/root/inner.json', JSON.stringify(inner))
    await show(machine, 'sampan image')
    await show(machine, 'kubectl apply -f /root/outer.json')
    await untilMatch(machine, 'kubectl logs sampan', /cluster "inner" is up/)
    const address = await show(machine, "kubectl get pod sampan -o jsonpath='{.status.podIP}'")
    await show(machine, `kubectl exec sampan -- cat /root/.kube/config | sed s/127.0.0.1/${address}/ > /root/inner`)
    await show(machine, 'kubectl exec sampan -- sampan build /work --name inner')
    await show(machine, `${kubectl} apply -f /root/inner.json`)
    await untilMatch(machine, `${kubectl} get pod within --no-headers`, / 1\/1 +Running /)
    expectMatch(await show(machine, `${kubectl} get nodes --no-headers`), /^sampan +Ready /, 'the node within')
    const group = await show(
      machine,
      `cd /sys/fs/cgroup && find . -path '*/inner/*' -name memory.max | xargs grep -l ${96 * 1024 * 1024}`,
    )
    expectMatch(group, /^\.\/sampan\.slice\/sampan\.scope\/pods\/.*\/sampan\/inner\//, 'the group with the limit')
    expectSame(await show(machine, 'kubectl delete pod sampan'), 'pod "sampan" deleted', 'its end')
  })
}
