// A program that builds Dockerfiles: BuildKit, by its own command or by that of Docker, or buildah. The first that is
// there and works is taken.
import { BuildError } from '../build-error.ts'
import type { BuildSecret } from '../settings.ts'
import { buildahEngine } from './buildah.ts'
import { buildKitEngine, dockerEngine } from './buildkit.ts'

export interface DockerfileBuild {
  /** The context, absolute. */
  readonly directory: string
  /** Absolute. */
  readonly dockerfile: string
  readonly target: string | undefined
  readonly args: Readonly<Record<string, string>>
  /** Files are absolute. */
  readonly secrets: Readonly<Record<string, BuildSecret>>
  /** `127.0.0.1:5000`: what `sampan.local` stands for. */
  readonly registry: string
  /** Empty, and gone when the image is pushed. */
  readonly making: string
  readonly cacheDirectory: string
}

/** An image as its parts. */
export interface BuiltParts {
  readonly layers: readonly {
    readonly digest: string
    readonly size: number
    readonly mediaType: string
    readonly file: string
  }[]
  /** The image's configuration, as OCI's image specification has it. */
  readonly config: {
    readonly config?: Readonly<Record<string, unknown>>
    readonly rootfs: { readonly diff_ids: readonly string[] }
  }
}

export interface DockerfileEngine {
  readonly name: string
  /** Whether it is there and can be reached; a refusal is no mistake, but may be the reason why none is found. */
  isThere(): Promise<boolean>
  /** @throws CommandError that has what it said in `stderr` */
  build(what: DockerfileBuild): Promise<BuiltParts>
}

const engines: readonly DockerfileEngine[] = [buildKitEngine, dockerEngine, buildahEngine]

/** @throws BuildError */
export async function findEngine(): Promise<DockerfileEngine> {
  for (const engine of engines) if (await engine.isThere()) return engine
  throw new BuildError(
    'a Dockerfile is built by BuildKit (buildctl or docker buildx, with a daemon that can be reached) or by buildah, and none of them is there; install one with: apt-get install buildah',
  )
}
