// Pods for tests.
import type { Container, Pod, PodSpec } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'

export function testPod(name: string, container: Partial<Container>, spec: Partial<PodSpec> = {}): New<Pod> {
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [{ name: 'main', image: 'sampan.local/busybox:1', ...container }],
      nodeName: 'node-1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      ...spec,
    },
  }
}
