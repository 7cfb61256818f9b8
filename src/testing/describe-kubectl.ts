// Tests of kubectl that share a server of their own, with the control loops of a cluster without nodes or without any.
import { afterAll, beforeAll, describe } from 'vitest'
import { startTestServer } from './in-process-server.ts'
import { hasKubectl, kubectlFor, withKubectl, type Kubectl } from './kubectl.ts'
import { startTestCluster } from './test-cluster.ts'

export interface KubectlTests {
  /** Manifests by name. */
  readonly files: Readonly<Record<string, string>>
  readonly controlLoops?: boolean
  /** A command line that makes what all tests start from. */
  readonly before?: string
}

/** @param tests gets kubectl through a function, since there is none before the tests run */
export function describeKubectl(
  title: string,
  { files, controlLoops = false, before = '' }: KubectlTests,
  tests: (kubectl: () => Kubectl) => void,
): void {
  describe.skipIf(!hasKubectl)(withKubectl(title), () => {
    let kubectl: Kubectl
    let stop: () => Promise<void>
    beforeAll(async () => {
      const started = controlLoops ? await startTestCluster({ nodes: 0 }) : await startTestServer()
      stop = () => ('stop' in started ? started.stop() : started.close())
      kubectl = kubectlFor('stop' in started ? started.server : started, files)
      if (before !== '') await kubectl.run(before)
    })
    afterAll(async () => {
      await stop()
      kubectl.remove()
    })
    tests(() => kubectl)
  })
}
