// The private containerd itself: it is found again, comes back when it dies, and leaves nothing behind.
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startContainerd, type Containerd, type ContainerdOptions } from '../../src/cri/containerd.ts'
import { containerFor, sandboxFor } from '../../src/cri/contract.ts'
import { grpcRuntime } from '../../src/cri/grpc-runtime.ts'
import type { Runtime } from '../../src/cri/runtime.ts'
import { mountsBelow } from '../../src/host/mounts.ts'
import { listProcesses } from '../../src/host/processes.ts'
import { busyboxImage } from '../../src/testing/busybox-image.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { ProcessPlace } from '../../src/host/process-place.ts'
import { reasonToSkip, testImage } from '../../src/testing/private-containerd.ts'

const reason = reasonToSkip()

describe.skipIf(reason !== undefined)(
  `private containerd${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let options: ContainerdOptions
    let containerd: Containerd
    let runtime: Runtime
    let container: string
    beforeAll(async () => {
      options = {
        dataDirectory: await mkdtemp(join(tmpdir(), 'sampan-containerd-')),
        stateDirectory: `/run/sampan/test-own-${process.pid}`,
        place: new ProcessPlace(`test-own-${process.pid}`),
        podCidr: '10.83.0.0/24',
      }
      containerd = await startContainerd(options)
      console.log(`containerd started in ${Math.round(containerd.startedInMs)} ms`)
      await containerd.importOciImage(testImage, await busyboxImage())
      runtime = grpcRuntime({ socketPath: containerd.socketPath })
      const sandbox = sandboxFor('own', join(options.dataDirectory, 'logs'))
      const sandboxId = await runtime.runPodSandbox(sandbox)
      container = await runtime.createContainer(sandboxId, containerFor('main', testImage, ['sleep', '1000']), sandbox)
      await runtime.startContainer(container)
    })
    afterAll(async () => {
      runtime?.close()
      await containerd?.stop()
      await rm(options.dataDirectory, { recursive: true, force: true })
    })

    test('a second start finds the first', async () => {
      expect((await startContainerd(options)).startedInMs).toBe(0)
    })

    test('containers run on without it, and are there when it is back', async () => {
      await containerd.stopDaemon()
      containerd = await startContainerd(options)
      expect(containerd.startedInMs).toBeGreaterThan(0)
      expect((await runtime.containerStatus(container)).state).toBe('running')
    })

    test('it comes back whenever it was killed', async () => {
      let restarted = Promise.withResolvers<void>()
      const stop = containerd.keepAlive(error => (error === undefined ? restarted.resolve() : restarted.reject(error)))
      for (let time = 1; time <= 2; time++) {
        restarted = Promise.withResolvers()
        process.kill(Number(readFileSync(join(options.stateDirectory, 'containerd.pid'), 'utf8')), 'SIGKILL')
        await restarted.promise
      }
      stop()
      expect(
        await eventually('answer', () =>
          runtime.containerStatus(container).then(
            status => status.state,
            () => undefined,
          ),
        ),
      ).toBe('running')
    })

    test('a state directory that is too long is refused with the reason', async () => {
      await expect(startContainerd({ ...options, stateDirectory: `/run/${'long/'.repeat(20)}` })).rejects.toThrow(
        'is too long',
      )
    })

    test('stopping leaves no process, mount or directory', async () => {
      await containerd.stop()
      expect(
        listProcesses().filter(({ commandLine }) => commandLine.some(word => word.includes(options.stateDirectory))),
      ).toEqual([])
      expect([...mountsBelow(options.stateDirectory), ...mountsBelow(options.dataDirectory)]).toEqual([])
      expect(existsSync(options.stateDirectory)).toBe(false)
    })
  },
)
