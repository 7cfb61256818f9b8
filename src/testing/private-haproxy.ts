// A gateway's HAProxy without a cluster, at a free port of loopback: for models that are made by hand.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Haproxy } from '../gateway/haproxy/haproxy.ts'
import { haproxyPlaces, stopHaproxy } from '../gateway/haproxy/haproxy-places.ts'
import { freePort } from '../host/free-port.ts'
import { machineClock } from '../host/machine-clock.ts'
import { ProcessPlace } from '../host/process-place.ts'

export interface PrivateHaproxy {
  readonly port: number
  readonly haproxy: Haproxy
  readonly masterPidFile: string
  readonly loginSocket: string
  readonly logSocket: string
  readonly configFile: string
  close(): Promise<void>
}

export async function privateHaproxy(): Promise<PrivateHaproxy> {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-gateway-'))
  const directories = { dataDirectory: directory, stateDirectory: directory }
  const haproxy = new Haproxy({
    ...directories,
    place: new ProcessPlace('private-gateway'),
    clock: machineClock,
    restarted: () => {},
  })
  return {
    port: await freePort(),
    haproxy,
    masterPidFile: haproxyPlaces(directories).pidFile,
    loginSocket: haproxyPlaces(directories).loginSocket,
    logSocket: haproxyPlaces(directories).logSocket,
    configFile: haproxyPlaces(directories).configFile,
    async close() {
      haproxy.leave()
      await stopHaproxy(directories)
      rmSync(directory, { recursive: true })
    },
  }
}
