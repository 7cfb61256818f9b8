// A containerd for one test file, with the busybox image in it. `reasonToSkip` says why there can be none.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startContainerd, type Containerd } from '../cri/containerd.ts'
import { grpcRuntime } from '../cri/grpc-runtime.ts'
import type { Runtime } from '../cri/runtime.ts'
import { programPath } from '../host/command.ts'
import { ProcessPlace } from '../host/process-place.ts'
import { busyboxImage, busyboxMissing } from './busybox-image.ts'

export const testImage = 'sampan.local/busybox:1'

const installed = (program: string): boolean =>
  programPath()
    .split(':')
    .some(directory => existsSync(join(directory, program)))

export function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root'
  if (!installed('containerd') || !installed('runc'))
    return 'needs containerd and runc: apt-get install containerd runc containernetworking-plugins'
  return busyboxMissing
}

export interface PrivateContainerd {
  readonly containerd: Containerd
  readonly runtime: Runtime
  readonly directory: string
  readonly podGroup: string
  close(): Promise<void>
}

/** @param relistMs how often the runtime is looked at as a whole */
export async function privateContainerd(
  name: string,
  podCidr = '10.78.0.0/24',
  relistMs?: number,
): Promise<PrivateContainerd> {
  const ownName = `test-${name}-${process.pid}`
  const place = new ProcessPlace(ownName)
  const directory = await mkdtemp(join(tmpdir(), `sampan-${name}-`))
  const containerd = await startContainerd({
    dataDirectory: directory,
    stateDirectory: `/run/sampan/${ownName}`,
    place,
    podCidr,
  })
  await containerd.importOciImage(testImage, await busyboxImage())
  const runtime = grpcRuntime({ socketPath: containerd.socketPath, ...(relistMs !== undefined && { relistMs }) })
  return {
    containerd,
    runtime,
    directory,
    podGroup: place.podGroup,
    async close() {
      runtime.close()
      await containerd.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
