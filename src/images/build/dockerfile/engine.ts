// A program that builds Dockerfiles: what it is told, and what it gives.
import type { BuildSecret } from '../settings.ts'

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
  /** @param said when it failed @returns what to do, where it is the machine that lacks something */
  readonly explain?: (said: string) => string | undefined
  readonly name: string
  /** Whether it is there and can be reached; a refusal is no mistake, but may be the reason why none is found. */
  isThere(): Promise<boolean>
  /** @throws CommandError that has what it said in `stderr` */
  build(what: DockerfileBuild): Promise<BuiltParts>
}
