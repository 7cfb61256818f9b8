import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Container, Probe } from '../api/generated/models.ts'
import { RuntimeError, type Runtime } from '../cri/runtime.ts'
import { freePort } from '../host/free-port.ts'
import { runProbe, type ProbeResult } from './probe-actions.ts'

let server: Server
let port: number
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/slow') return
    if (request.url === '/away') response.writeHead(302, { Location: '/bad' })
    else if (request.url === '/elsewhere') response.writeHead(302, { Location: 'http://example.invalid/' })
    else response.writeHead(request.url === '/bad' || request.headers['x-key'] !== 'k' ? 500 : 200)
    response.end()
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const runtime = {
  execSync: async (_id: string, command: readonly string[]) => {
    if (command[0] === 'slow') throw new RuntimeError('Timeout', 'late')
    return { exitCode: command[0] === 'true' ? 0 : 1, stdout: Buffer.from('out'), stderr: Buffer.from('err') }
  },
} as unknown as Runtime

const ask = (probe: Probe): Promise<ProbeResult> => {
  const container: Container = { name: 'main', ports: [{ name: 'web', containerPort: port }] }
  return runProbe(probe, { runtime, containerId: 'id', container, address: '127.0.0.1' })
}
const http = (path: string, value = 'k'): Probe => ({
  httpGet: { port: 'web', path, httpHeaders: [{ name: 'X-Key', value }] },
  timeoutSeconds: 1,
})

test('HTTP succeeds by status, follows redirects on the same host only', async () => {
  expect(await ask(http('/'))).toEqual({ ok: true, message: '' })
  expect(await ask(http('/', 'wrong'))).toEqual({ ok: false, message: 'HTTP probe failed with statuscode: 500' })
  expect(await ask(http('/away'))).toEqual({ ok: false, message: 'HTTP probe failed with statuscode: 500' })
  expect(await ask(http('/elsewhere'))).toEqual({ ok: true, message: '' })
  expect((await ask(http('/slow'))).message).toBe(
    `Get "http://127.0.0.1:${port}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  )
})

test('TCP succeeds when somebody listens', async () => {
  expect(await ask({ tcpSocket: { port } })).toEqual({ ok: true, message: '' })
  const closed = await freePort()
  expect(await ask({ tcpSocket: { port: closed } })).toEqual({
    ok: false,
    message: `dial tcp 127.0.0.1:${closed}: connect: connection refused`,
  })
  expect((await ask({ httpGet: { port: closed } })).message).toBe(
    `Get "http://127.0.0.1:${closed}/": dial tcp 127.0.0.1:${closed}: connect: connection refused`,
  )
})

test('commands succeed with exit code 0', async () => {
  expect(await ask({ exec: { command: ['true'] } })).toEqual({ ok: true, message: '' })
  expect(await ask({ exec: { command: ['false'] } })).toEqual({ ok: false, message: 'outerr' })
  expect((await ask({ exec: { command: ['slow', '1'] } })).message).toBe(
    'command timed out: "slow 1" timed out after 1s',
  )
})

test('commands of probes have the fixed values of variables', async () => {
  const asked: (readonly string[])[] = []
  const noting = {
    execSync: async (_id: string, command: readonly string[]) => {
      asked.push(command)
      return { exitCode: 0, stdout: Buffer.of(), stderr: Buffer.of() }
    },
  } as unknown as Runtime
  const env = [
    { name: 'A', value: '1' },
    { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
  ]
  const probe: Probe = { exec: { command: ['$(A)', '$$(A)', 'x$(SECRET)x', '$(UNKNOWN)', '$A'] } }
  await runProbe(probe, { runtime: noting, containerId: 'id', container: { name: 'main', env }, address: '127.0.0.1' })
  expect(asked).toEqual([['1', '$(A)', 'xx', '$(UNKNOWN)', '$A']])
})

test('gRPC asks the health service', async () => {
  const grpc = new GrpcServer()
  grpc.addService(
    {
      Check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString() }),
        requestSerialize: () => Buffer.alloc(0),
        responseSerialize: (status: number) => Buffer.from([0x08, status]),
        responseDeserialize: (bytes: Buffer) => bytes[1],
      },
    },
    {
      Check: (call: { request: { service: string } }, callback: (error: null, status: number) => void) =>
        callback(null, call.request.service === 'sick' ? 2 : 1),
    } as never,
  )
  const grpcPort = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  expect(await ask({ grpc: { port: grpcPort, service: '' } })).toEqual({ ok: true, message: '' })
  expect(await ask({ grpc: { port: grpcPort, service: 'sick' } })).toEqual({
    ok: false,
    message: 'service unhealthy (responded with "NOT_SERVING")',
  })
  grpc.forceShutdown()
})
