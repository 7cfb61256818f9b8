// `sampan dev` in a terminal of its own, as tests drive it: what it says, and what answers at its ports.
import type { ChildProcess } from 'node:child_process'
import { sampanProgram, type ClusterFixture } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const waitMs = 90_000

export class DevLoop {
  output = ''
  private readonly cluster: ClusterFixture
  private readonly child: ChildProcess

  constructor(
    cluster: ClusterFixture,
    directory: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ) {
    this.cluster = cluster
    this.child = cluster.spawn(sampanProgram, ['dev', ...args], { directory, environment })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (part: Buffer) => (this.output += part.toString()))
  }

  said(text: string, times = 1): Promise<unknown> {
    return this.until(`"${text}" ${times} times`, () => this.output.split(text).length > times)
  }

  /** Port of this machine that leads to that of the service. */
  async port(of: number): Promise<number> {
    const pattern = new RegExp(`http://localhost:(\\d+) leads to port ${of} of`)
    await this.until(`a port for ${of}`, () => pattern.test(this.output))
    return Number(pattern.exec(this.output)![1])
  }

  answers(port: number, text: string, path = ''): Promise<unknown> {
    return this.until(text, async () => (await this.get(port, path)) === text)
  }

  get(port: number, path = '', ...args: string[]): Promise<string> {
    return this.cluster.curl(`http://127.0.0.1:${port}/${path}`, ...args).catch(() => '')
  }

  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    await eventually(what, holds, waitMs).catch((error: Error) => {
      throw new Error(`${error.message}:\n${this.output}`)
    })
  }

  /** As Ctrl-C does. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return
    const ended = new Promise(resolve => this.child.once('exit', resolve))
    this.child.kill('SIGINT')
    await ended
  }
}
