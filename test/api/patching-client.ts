// A worker thread that patches large objects over kept connections, each connection its own object, and reports the
// faults: with a thread of its own it sends the next request before the server has noticed that its answer left.
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { parentPort, workerData } from 'node:worker_threads'
import type { KeyPairPem } from '../../src/server/auth/certificate-authority.ts'

export interface PatchingWork {
  readonly port: number
  readonly authority: string
  readonly admin: KeyPairPem
  /** One connection for each. */
  readonly paths: readonly string[]
  readonly patches: number
}

const { port, authority, admin, paths, patches } = workerData as PatchingWork
const smallestBytes = 65_000
const largestBytes = 80_000

function patch(agent: Agent, path: string, bytes: number): Promise<string> {
  return new Promise(resolve => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        method: 'PATCH',
        path,
        ca: authority,
        cert: admin.certificate,
        key: admin.key,
        agent,
        headers: { 'Content-Type': 'application/merge-patch+json' },
      },
      response =>
        void text(response).then(
          () => resolve(String(response.statusCode)),
          (error: Error) => resolve(error.message),
        ),
    )
    call.on('error', error => resolve(error.message)).end(JSON.stringify({ data: { value: 'v'.repeat(bytes) } }))
  })
}

const outcomes = await Promise.all(
  paths.map(async path => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const seen: string[] = []
    for (let round = 0; round < patches; round++)
      seen.push(
        await patch(agent, path, smallestBytes + Math.floor(((largestBytes - smallestBytes) * round) / patches)),
      )
    agent.destroy()
    return seen
  }),
)
parentPort!.postMessage(outcomes.flat())
