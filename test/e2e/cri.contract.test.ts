import { join } from 'node:path'
import { describe } from 'vitest'
import { testRuntime } from '../../src/cri/contract.ts'
import { privateContainerd, reasonToSkip, testImage } from '../../src/testing/private-containerd.ts'

const reason = reasonToSkip()

describe.skipIf(reason !== undefined)(`containerd${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  testRuntime('containerd', true, async () => {
    const containerd = await privateContainerd('cri')
    return {
      runtime: containerd.runtime,
      image: testImage,
      logDirectory: join(containerd.directory, 'logs'),
      close: () => containerd.close(),
    }
  })
})
