// Every byte that kubectl sends to a container arrives, every byte of a container comes back, and a command that
// ends ends the session, over WebSocket and SPDY: exec, attach and port-forward.
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClusterFixture, reasonToSkipCluster, succeeded, type Result } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const image = 'sampan.local/busybox:1'
const forever = 'trap "exit 0" TERM; sleep 1000000 & wait'
const sh = (script: string): string[] => ['sh', '-c', script]
const megabyte = 1 << 20
const sizes = [0, 1, 5 * megabyte, 50 * megabyte]
const largest = sizes.at(-1)!

describe.skipIf(reason !== undefined)(`streams${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  const sums = new Map<number, string>()
  const file = (bytes: number): string => join(cluster.directory, `sent-${bytes}`)
  beforeAll(async () => {
    cluster = await ClusterFixture.up('streams')
    await cluster.pushBusybox()
    for (const bytes of sizes) {
      const content = randomBytes(bytes)
      writeFileSync(file(bytes), content)
      sums.set(bytes, createHash('sha256').update(content).digest('hex'))
    }
    await create('target', [{ name: 'main', command: sh(forever) }])
  })
  afterAll(() => cluster?.close())

  /** A pod whose containers share `/data`; resolves when it is ready. */
  async function create(name: string, containers: object[]): Promise<void> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'data', emptyDir: {} }],
        containers: containers.map(container => ({
          image,
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
          ...container,
        })),
      },
    }
    await eventually('the pod', async () => (await cluster.kubectlWith(pod, 'create')).code === 0)
    await cluster.show('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=30s')
  }

  for (const [transport, environment] of [
    ['WebSocket', {}],
    ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
  ] as const) {
    const kubectl = (...args: string[]): Promise<Result> => cluster.run('kubectl', args, { environment })
    /** kubectl with a file of so many bytes as its input. */
    const kubectlReading = (bytes: number, ...args: string[]): Promise<Result> =>
      cluster.run('sh', ['-c', 'file=$1; shift; exec kubectl "$@" < "$file"', 'sh', file(bytes), ...args], {
        environment,
      })
    const sumOf = async (...args: string[]): Promise<string> =>
      succeeded(await kubectl('exec', ...args, '--', 'sha256sum', '/data/f')).out.split(' ')[0]!

    for (const bytes of sizes) {
      test(`exec over ${transport} takes ${bytes} bytes`, async () => {
        // The shell hands its output to the file: the command's own output ends at once.
        succeeded(await kubectlReading(bytes, 'exec', '-i', 'target', '--', ...sh('cat > /data/f')))
        expect(await sumOf('target')).toBe(sums.get(bytes))
      })
    }

    test(`exec over ${transport} gives ${largest} bytes back`, async () => {
      const { out } = succeeded(
        await cluster.run('sh', ['-c', 'kubectl exec target -- cat /data/f | sha256sum'], { environment }),
      )
      expect(out.split(' ')[0]).toBe(sums.get(largest))
    })

    test(`exec over ${transport} takes and gives ${largest} bytes at once`, async () => {
      const script = 'kubectl exec -i target -- cat < "$1" | sha256sum'
      const { out } = succeeded(await cluster.run('sh', ['-c', script, 'sh', file(largest)], { environment }))
      expect(out.split(' ')[0]).toBe(sums.get(largest))
    })

    test(`exec over ${transport} ends with a command that has not read its input`, async () => {
      const read = await kubectlReading(largest, 'exec', '-i', 'target', '--', ...sh('head -c 5 > /data/g'))
      expect(read).toMatchObject({ code: 0, out: '' })
      expect(await kubectlReading(largest, 'exec', '-i', 'target', '--', 'true')).toMatchObject({ code: 0 })
      expect(await kubectlReading(largest, 'exec', '-i', 'target', '--', ...sh('exit 7'))).toMatchObject({ code: 7 })
    })

    test(`exec over ${transport} says that there is no such command`, async () => {
      const { code, err } = await kubectlReading(1, 'exec', '-i', 'target', '--', 'nothing')
      expect(code).toBe(1)
      expect(err).toContain('executable file not found')
    })

    test(`attach over ${transport} takes ${largest} bytes`, async () => {
      const name = `reads-${transport.toLowerCase()}`
      await create(name, [
        { name: 'main', stdin: true, stdinOnce: true, command: sh('cat > /data/f') },
        { name: 'other', command: sh(forever) },
      ])
      succeeded(await kubectlReading(largest, 'attach', '-i', name, '-c', 'main'))
      await eventually('the end of the container', async () => {
        const path = 'jsonpath={.status.containerStatuses[?(@.name=="main")].state.terminated.reason}'
        return (await kubectl('get', 'pod', name, '-o', path)).out === 'Completed'
      })
      expect(await sumOf(name, '-c', 'other')).toBe(sums.get(largest))
    })

    test(`attach over ${transport} ends with a container that has not read its input`, async () => {
      const name = `ends-${transport.toLowerCase()}`
      await create(name, [{ name: 'main', stdin: true, stdinOnce: true, command: sh('sleep 3; echo over') }])
      const { code, out } = await kubectlReading(largest, 'attach', '-i', name)
      expect({ code, out }).toEqual({ code: 0, out: 'over\n' })
    })

    test(`attach over ${transport} leaves input open for the next one`, async () => {
      const name = `keeps-${transport.toLowerCase()}`
      await create(name, [
        { name: 'main', stdin: true, command: sh('cat > /data/f') },
        { name: 'other', command: sh(forever) },
      ])
      for (const bytes of [1, 5 * megabyte]) succeeded(await kubectlReading(bytes, 'attach', '-i', name, '-c', 'main'))
      const sizeNow = (): Promise<Result> => kubectl('exec', name, '-c', 'other', '--', 'stat', '-c', '%s', '/data/f')
      await eventually('all input', async () => Number((await sizeNow()).out) === 5 * megabyte + 1)
    })

    test(`port-forward over ${transport} closes when the pod's side has closed`, async () => {
      const name = `serves-${transport.toLowerCase()}`
      await create(name, [{ name: 'main', command: sh('while true; do echo hi | nc -l -p 8080; done') }])
      const forward = cluster.spawn('kubectl', ['port-forward', `pod/${name}`, ':8080'], { environment })
      const port = await new Promise<string>(resolve => {
        forward.stdout!.on('data', (chunk: Buffer) => {
          const found = /127\.0\.0\.1:(\d+)/.exec(chunk.toString())
          if (found !== null) resolve(found[1]!)
        })
      })
      // Says nothing, and closes only when it was closed.
      const client = `require('node:net').connect(${port}, '127.0.0.1').pipe(process.stdout)`
      expect(succeeded(await cluster.run(process.execPath, ['-e', client], { timeoutMs: 10_000 })).out).toBe('hi\n')
      forward.kill()
    })
  }
})
