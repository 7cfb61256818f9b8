// What every runtime must do, run against each implementation. The factory's image must have `sleep`,
// `sh`, `echo`, `cat` and `exit` where `runsPrograms` is true; a simulated runtime has the rest of the suite.
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  isRuntimeNotFound,
  type ContainerConfig,
  type Runtime,
  type RuntimeEvent,
  type SandboxConfig,
} from './runtime.ts'

export interface RuntimeUnderTest {
  readonly runtime: Runtime
  readonly image: string
  readonly logDirectory: string
  close(): Promise<void>
}

const namespaces = { network: 'pod', pid: 'container', ipc: 'pod' } as const

export function sandboxFor(name: string, logDirectory: string): SandboxConfig {
  return {
    name,
    uid: `uid-${name}`,
    namespace: 'contract',
    attempt: 0,
    hostname: name,
    logDirectory,
    dns: { servers: ['10.43.0.10'], searches: ['contract.svc.cluster.local'], options: ['ndots:5'] },
    portMappings: [],
    labels: { 'io.kubernetes.pod.uid': `uid-${name}`, suite: 'contract' },
    annotations: { note: 'kept' },
    cgroupParent: `/sampan/contract-${name}`,
    sysctls: {},
    namespaces,
    privileged: false,
    supplementalGroups: [],
  }
}

export function containerFor(name: string, image: string, command: readonly string[]): ContainerConfig {
  return {
    name,
    attempt: 0,
    image,
    command,
    args: [],
    workingDirectory: '',
    environment: [{ name: 'GREETING', value: 'hello' }],
    mounts: [],
    labels: { 'io.kubernetes.container.name': name },
    annotations: {},
    logPath: `${name}/0.log`,
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { cpuShares: 100, memoryLimitBytes: 64 << 20 },
    security: {
      privileged: false,
      addCapabilities: [],
      dropCapabilities: [],
      readOnlyRootFilesystem: false,
      supplementalGroups: [],
      noNewPrivileges: false,
      unmaskedProc: false,
      namespaces,
      seccomp: { type: 'RuntimeDefault' },
    },
  }
}

/** @param runsPrograms whether containers really run what they are told */
export function testRuntime(label: string, runsPrograms: boolean, create: () => Promise<RuntimeUnderTest>): void {
  describe(`runtime contract: ${label}`, () => {
    let subject: RuntimeUnderTest
    let runtime: Runtime
    beforeAll(async () => {
      subject = await create()
      runtime = subject.runtime
    })
    afterAll(() => subject?.close())

    const start = async (name: string, command: readonly string[], change: Partial<ContainerConfig> = {}) => {
      const sandbox = sandboxFor(name, subject.logDirectory)
      const sandboxId = await runtime.runPodSandbox(sandbox)
      const id = await runtime.createContainer(
        sandboxId,
        { ...containerFor('main', subject.image, command), ...change },
        sandbox,
      )
      await runtime.startContainer(id)
      return { sandboxId, id }
    }
    const remove = async (sandboxId: string): Promise<void> => {
      await runtime.stopPodSandbox(sandboxId)
      await runtime.removePodSandbox(sandboxId)
    }

    test('says what it is', async () => {
      const version = await runtime.version()
      expect(version.name).not.toBe('')
      await runtime.ready()
    })

    test('runs a sandbox with an address, and forgets it', async () => {
      const id = await runtime.runPodSandbox(sandboxFor('box', subject.logDirectory))
      const status = await runtime.podSandboxStatus(id)
      expect(status).toMatchObject({
        name: 'box',
        namespace: 'contract',
        uid: 'uid-box',
        ready: true,
        annotations: { note: 'kept' },
        namespaces,
      })
      expect(status.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
      expect((await runtime.listPodSandboxes({ suite: 'contract' })).map(sandbox => sandbox.id)).toContain(id)
      expect(await runtime.listPodSandboxes({ suite: 'other' })).toEqual([])
      await runtime.stopPodSandbox(id)
      expect((await runtime.podSandboxStatus(id)).ready).toBe(false)
      await runtime.removePodSandbox(id)
      await expect(runtime.podSandboxStatus(id)).rejects.toSatisfy(isRuntimeNotFound)
    })

    test('stopping and removing what does not exist is no error', async () => {
      await expect(runtime.stopPodSandbox('nobody')).resolves.toBeUndefined()
      await expect(runtime.removePodSandbox('nobody')).resolves.toBeUndefined()
      await expect(runtime.stopContainer('nobody', 0)).resolves.toBeUndefined()
      await expect(runtime.removeContainer('nobody')).resolves.toBeUndefined()
    })

    test('a container is created, started, stopped and removed', async () => {
      const { sandboxId, id } = await start('life', ['sleep', '1000'])
      expect(await runtime.containerStatus(id)).toMatchObject({ id, name: 'main', state: 'running', attempt: 0 })
      await runtime.stopContainer(id, 0)
      const status = await runtime.containerStatus(id)
      expect(status.state).toBe('exited')
      expect(status.finishedAtMs).toBeGreaterThanOrEqual(status.startedAtMs)
      await runtime.removeContainer(id)
      await expect(runtime.containerStatus(id)).rejects.toSatisfy(isRuntimeNotFound)
      await remove(sandboxId)
    })

    test('the end of a container is an event, and visible when the event comes', async () => {
      const events: RuntimeEvent[] = []
      const ended = Promise.withResolvers<string>()
      const stop = runtime.subscribe(event => {
        events.push(event)
        if (event.type === 'exited') ended.resolve(event.containerId)
      })
      const { sandboxId, id } = await start('ends', ['sleep', '1000'])
      await runtime.stopContainer(id, 0)
      expect(await ended.promise).toBe(id)
      expect((await runtime.containerStatus(id)).state).toBe('exited')
      stop()
      await remove(sandboxId)
    })

    test('images are listed, found and missed', async () => {
      const image = await runtime.imageStatus(subject.image)
      expect(image?.id).toMatch(/^sha256:/)
      expect((await runtime.listImages()).map(entry => entry.id)).toContain(image?.id)
      expect(await runtime.imageStatus('sampan.local/nobody:1')).toBeUndefined()
    })

    if (!runsPrograms) return

    test('the exit code is reported', async () => {
      const ended = Promise.withResolvers<string>()
      const stop = runtime.subscribe(event => {
        if (event.type === 'exited') ended.resolve(event.containerId)
      })
      const { sandboxId, id } = await start('fails', ['sh', '-c', 'exit 3'])
      expect(await ended.promise).toBe(id)
      expect(await runtime.containerStatus(id)).toMatchObject({ exitCode: 3, reason: 'Error' })
      stop()
      await remove(sandboxId)
    })

    test('execSync returns output and exit code', async () => {
      const { sandboxId, id } = await start('sync', ['sleep', '1000'])
      const result = await runtime.execSync(id, ['sh', '-c', 'echo $GREETING; echo bad >&2; exit 5'], 5)
      expect([result.exitCode, result.stdout.toString(), result.stderr.toString()]).toEqual([5, 'hello\n', 'bad\n'])
      await remove(sandboxId)
    })

    test('exec streams input and output and closes input', async () => {
      const { sandboxId, id } = await start('stream', ['sleep', '1000'])
      const session = await runtime.exec(id, ['sh', '-c', 'cat; echo end >&2; exit 7'], {
        stdin: true,
        stdout: true,
        stderr: true,
        tty: false,
      })
      const large = 'x'.repeat(300_000)
      session.stdin!.end(large)
      const [out, err, status] = await Promise.all([text(session.stdout!), text(session.stderr!), session.done])
      expect([out.length, err]).toEqual([large.length, 'end\n'])
      expect(status).toMatchObject({
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '7' }] },
      })
      await remove(sandboxId)
    })

    const allButTerminal = { stdin: true, stdout: true, stderr: true, tty: false }

    test('exec gives a command all of its input, although its output ended first', async () => {
      const { sandboxId, id } = await start('input', ['sleep', '1000'])
      const session = await runtime.exec(id, ['sh', '-c', 'exec cat > /tmp/f'], allButTerminal)
      session.stdin!.end(Buffer.alloc(3_000_000, 'x'))
      expect(await session.done).toMatchObject({ status: 'Success' })
      expect((await runtime.execSync(id, ['wc', '-c', '/tmp/f'], 5)).stdout.toString()).toBe('3000000 /tmp/f\n')
      await remove(sandboxId)
    })

    test('exec ends with a command that has not read its input', async () => {
      const { sandboxId, id } = await start('unread', ['sleep', '1000'])
      const session = await runtime.exec(id, ['sh', '-c', 'head -c 5; exit 4'], allButTerminal)
      session.stdin!.on('error', () => {}).write(Buffer.alloc(3_000_000, 'x'))
      const [out, status] = await Promise.all([text(session.stdout!), session.done])
      expect(out).toBe('xxxxx')
      expect(status).toMatchObject({ details: { causes: [{ reason: 'ExitCode', message: '4' }] } })
      await remove(sandboxId)
    })

    test('a command that does not exist is the end of its session', async () => {
      const { sandboxId, id } = await start('nothing', ['sleep', '1000'])
      const session = await runtime.exec(id, ['nothing'], allButTerminal)
      expect(await text(session.stdout!)).toBe('')
      const status = await session.done
      expect(status).toMatchObject({ status: 'Failure', reason: 'InternalError' })
      expect(status.message).toMatch(
        /^Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "\w+": OCI runtime exec failed: .*executable file not found/,
      )
      await remove(sandboxId)
    })

    test('attach gives a container all of its input, although its outputs ended first', async () => {
      const { sandboxId, id } = await start(
        'attached',
        ['sh', '-c', 'exec > /dev/null 2>&1; test $(wc -c) -eq 3000000 && exit 42'],
        { stdin: true, stdinOnce: true },
      )
      const ended = Promise.withResolvers<void>()
      const stop = runtime.subscribe(event => {
        if (event.type === 'exited' && event.containerId === id) ended.resolve()
      })
      const session = await runtime.attach(id, { ...allButTerminal, stdinOnce: true })
      session.stdin!.end(Buffer.alloc(3_000_000, 'x'))
      expect(await session.done).toMatchObject({ status: 'Success' })
      await ended.promise
      expect((await runtime.containerStatus(id)).exitCode).toBe(42)
      stop()
      await remove(sandboxId)
    })

    test('a terminal can be resized', async () => {
      const { sandboxId, id } = await start('terminal', ['sleep', '1000'])
      const session = await runtime.exec(id, ['sh'], { stdin: true, stdout: true, stderr: false, tty: true })
      session.resize(123, 45)
      session.stdin!.write('sleep 0.2; stty size; exit\n')
      expect(await text(session.stdout!)).toContain('45 123')
      expect(await session.done).toMatchObject({ status: 'Success' })
      await remove(sandboxId)
    })

    test('a port inside the pod can be reached', async () => {
      const { sandboxId } = await start('port', ['sh', '-c', 'while true; do echo hi | nc -l -p 8080; done'])
      const read = async (): Promise<string> => await text(await runtime.portForward(sandboxId, 8080))
      let received = ''
      for (let attempt = 0; attempt < 50 && received === ''; attempt++) {
        received = await read().catch(() => '')
        if (received === '')
          await new Promise(resolve => {
            setTimeout(resolve, 50)
          })
      }
      expect(received).toBe('hi\n')
      const refused = await runtime.portForward(sandboxId, 9)
      await expect(text(refused)).rejects.toThrow('refused')
      await remove(sandboxId)
    })
  })
}
