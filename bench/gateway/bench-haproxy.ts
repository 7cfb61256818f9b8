// A gateway's HAProxy for a measurement, without a cluster: at a free port of loopback, with a model made by hand.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Haproxy } from '../../src/gateway/haproxy/haproxy.ts'
import { haproxyPlaces, stopHaproxy } from '../../src/gateway/haproxy/haproxy-places.ts'
import type { Action, GatewayModel, Host, Server } from '../../src/gateway/model/model.ts'
import { freePort } from '../../src/host/free-port.ts'
import { ProcessPlace } from '../../src/host/process-place.ts'

export interface BenchHaproxy {
  readonly port: number
  readonly haproxy: Haproxy
  readonly masterPidFile: string
  close(): Promise<void>
}

export async function benchHaproxy(): Promise<BenchHaproxy> {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-bench-gateway-'))
  const directories = { dataDirectory: directory, stateDirectory: directory }
  const haproxy = new Haproxy({
    ...directories,
    place: new ProcessPlace('bench-gateway'),
    restarted: () => {},
  })
  return {
    port: await freePort(),
    haproxy,
    masterPidFile: haproxyPlaces(directories).pidFile,
    async close() {
      haproxy.leave()
      await stopHaproxy(directories)
      rmSync(directory, { recursive: true })
    },
  }
}

export const forward = (backend: string): Action => ({ shares: [{ backend, weight: 1 }] })

/** @param services name of each -> its servers; reached at `/` of a host of its name */
export function modelOf(port: number, services: ReadonlyMap<string, readonly Server[]>): GatewayModel {
  const hosts = [...services.keys()].map((name): Host => ({
    name: { kind: 'exact', name: `${name}.localhost` },
    listener: '',
    rules: [
      {
        source: name,
        match: { path: { kind: 'prefix', value: '/' }, headers: [], query: [] },
        action: forward(name),
      },
    ],
  }))
  return {
    entrances: [{ address: '127.0.0.1', port, hosts }],
    backends: new Map([...services].map(([id, servers]) => [id, { id, handling: {}, protocol: 'http', servers }])),
    certificates: new Map(),
  }
}
