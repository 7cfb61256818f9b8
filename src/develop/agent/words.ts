// What the developing machine and the agent in a container say to each other: lines of JSON over a kept-open `exec`.

/** Where the agent and, in images without Node.js, its Node.js are in the image. */
export const agentFolder = '/.sampan'

/** Agent's lines in the log of its container begin with this; what follows is an `AgentStart` in JSON. */
export const startMark = '\u0001sampan agent '

/** Printed once for each start of a container. */
export interface AgentStart {
  /** Another one for each start. */
  readonly boot: string
  /** Which image it is: the value of the variable `SAMPAN_BUILD` in it. */
  readonly build: string
}

export const buildVariable = 'SAMPAN_BUILD'

export interface ChangedFile {
  /** Absolute, in the container. */
  readonly path: string
  /** base64; undefined: the file is gone, unless it is a link. */
  readonly content?: string
  readonly mode?: number
  /** Of a part of a large file: where it begins. The file takes its place with its last part. */
  readonly at?: number
  /** Whether another part comes. */
  readonly more?: boolean
  /** Where a symbolic link leads. */
  readonly link?: string
}

/** Carried out one after the other. */
export interface Order {
  readonly id: number
  readonly files: readonly ChangedFile[]
  /** Whether the process is started again afterwards. */
  readonly restart: boolean
}

export type ProcessState =
  | { readonly state: 'running'; readonly pid: number }
  /** `code` is null when a signal ended it. */
  | { readonly state: 'ended'; readonly code: number | null; readonly signal: string | null }
  | { readonly state: 'unstartable'; readonly reason: string }

export type Answer =
  /** The first one of a connection. */
  | { readonly hello: AgentStart; readonly process: ProcessState }
  | { readonly done: number }
  | { readonly failed: number; readonly reason: string }
  | { readonly process: ProcessState }
