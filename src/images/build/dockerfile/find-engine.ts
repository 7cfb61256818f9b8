// BuildKit, by its own command or by that of Docker, or buildah: the first that is there and works is taken.
import { BuildError } from '../build-error.ts'
import { buildahEngine } from './buildah.ts'
import { buildKitEngine, dockerEngine } from './buildkit.ts'
import type { DockerfileEngine } from './engine.ts'

const engines: readonly DockerfileEngine[] = [buildKitEngine, dockerEngine, buildahEngine]

/** @throws BuildError */
export async function findEngine(): Promise<DockerfileEngine> {
  for (const engine of engines) if (await engine.isThere()) return engine
  throw new BuildError(
    'a Dockerfile is built by BuildKit (buildctl or docker buildx, with a daemon that can be reached) or by buildah, and none of them is there; install one with: apt-get install buildah',
  )
}
