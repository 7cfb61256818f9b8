// The real kubectl against a server in the test's process: a folder of its own with a kubeconfig and manifests,
// and commands of the shell that run in it.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { writeContext } from '../client/kubeconfig.ts'
import { eventually } from './eventually.ts'
import type { TestServer } from './in-process-server.ts'

export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

/** Of a group of tests: says why it does not run where kubectl is missing. */
export const withKubectl = (title: string): string =>
  `${title}${hasKubectl ? '' : ' (skipped: kubectl is missing; apt-get install kubernetes-client)'}`

/** What it is, the command line, its output (both streams), its exit code. Later ones build on earlier ones. */
export type Step = readonly [name: string, command: string, output: RegExp, code?: number]

export interface Kubectl {
  readonly folder: string
  start(command: string): ChildProcessWithoutNullStreams
  /** Runs to the end. `output` is that of both streams. */
  run(command: string): Promise<{ output: string; code: number | null }>
  /** Runs until its output matches, then ends it and what it started. */
  until(command: string, expected: RegExp, then?: (found: RegExpExecArray) => Promise<void>): Promise<void>
  remove(): void
}

/** @param files are manifests by name; flow style is fine, as a line `---` says that they are YAML */
export function kubectlFor({ port, keys }: TestServer, files: Readonly<Record<string, string>> = {}): Kubectl {
  const folder = mkdtempSync(join(tmpdir(), 'sampan-kubectl-'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), `---\n${content}`)
  writeContext(join(folder, 'kubeconfig'), {
    name: 'test',
    server: `https://127.0.0.1:${port}`,
    dataDirectory: folder,
    authority: keys.authority.certificate,
    certificate: keys.admin.certificate,
    key: keys.admin.key,
  })
  const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder }
  const start = (command: string): ChildProcessWithoutNullStreams =>
    spawn('sh', ['-c', command], { cwd: folder, env, detached: true })
  return {
    folder,
    start,
    async run(command) {
      const child = start(`{ ${command}; } 2>&1`)
      child.stdin.end()
      const code = new Promise<number | null>(resolve => {
        child.on('close', resolve)
      })
      return { output: (await text(child.stdout)).trimEnd(), code: await code }
    },
    async until(command, expected, then = async () => {}) {
      const child = start(`exec ${command} 2>&1`)
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk
      })
      try {
        await then(
          await eventually(`${expected} in the output of ${command}`, () => expected.exec(output) ?? undefined),
        )
      } finally {
        child.kill('SIGKILL')
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/** One test for each step, in this order. @param kubectl is asked for when the tests run */
export function runSteps(kubectl: () => Kubectl, steps: readonly Step[]): void {
  for (const [name, command, output, code = 0] of steps) {
    test(name, async () => {
      expect(await kubectl().run(command)).toEqual({ output: expect.stringMatching(output), code })
    })
  }
}
