// How an image is to be made, as far as somebody says it: the `build` of an app.yml. What is not said is found out.

export const builderNames = ['node', 'python', 'go', 'rust', 'java', 'php', 'static', 'command', 'dockerfile'] as const
export type BuilderName = (typeof builderNames)[number]

export interface BuildSettings {
  /** By default the first one that knows the folder. */
  readonly with?: BuilderName
  /** Image that the service's layers are put on, such as `debian:12-slim`; by default they are put on what this machine has. */
  readonly base?: string
  /** Debian packages whose files the image gets, such as `libvips42`. */
  readonly packages: readonly string[]
  /** Whether the image has a shell and the usual small programs. */
  readonly shell: boolean
  /** Program and arguments that make what is started; by default what the project says. */
  readonly run?: readonly string[]
  /** Folder that `run` makes and that goes into the image, relative to the service's; by default the service's own. */
  readonly output?: string
  /** Program and arguments that a container of the image starts with; by default what the project says. */
  readonly start?: readonly string[]
  /** Relative to the service's folder; by default `Dockerfile`. */
  readonly dockerfile?: string
  /** Stage of the Dockerfile; by default the last one. */
  readonly target?: string
  /** Build arguments of the Dockerfile. */
  readonly args: Readonly<Record<string, string>>
  /** Secrets of the Dockerfile's `RUN --mount=type=secret`: id -> variable of the environment or file that holds it. */
  readonly secrets: Readonly<Record<string, BuildSecret>>
}

export type BuildSecret = { readonly variable: string } | { readonly file: string }

export const defaultSettings: BuildSettings = { packages: [], shell: false, args: {}, secrets: {} }
