// A thousand routes with ten thousand endpoints: how long a change takes until HAProxy has it, and what that takes.
import { readFileSync, readdirSync } from 'node:fs'
import type { Server } from '../../src/gateway/model/model.ts'
import { privateHaproxy } from '../../src/testing/private-haproxy.ts'
import type { Figures } from '../images/figures.ts'
import { modelOf } from './model-of.ts'

const services = 1_000
const endpoints = 10

export async function scale(figures: Figures): Promise<void> {
  const gateway = await privateHaproxy()
  const all = new Map(
    Array.from({ length: services }, (_service, index): [string, Server[]] => [
      `web-${index}`,
      Array.from({ length: endpoints }, (_endpoint, last) => ({
        address: `10.${100 + Math.floor(index / 250)}.${index % 250}.${last + 1}`,
        port: 8080,
        draining: false,
      })),
    ]),
  )
  const bring = async (): Promise<void> => void (await gateway.haproxy.bring(modelOf(gateway.port, all)))
  try {
    await figures.timed('1,000 routes, 10,000 endpoints: the first load', bring)
    all.set('web-7', [...all.get('web-7')!.slice(1), { address: '10.200.0.1', port: 8080, draining: false }])
    await figures.timed('... an endpoint comes and one goes', bring)
    all.set('new', [{ address: '10.200.0.2', port: 8080, draining: false }])
    await figures.timed('... a route to a service that is new', bring)
    figures.all['... HAProxy, MB'] = Math.round(memoryOf(Number(readFileSync(gateway.masterPidFile, 'utf8'))) / 1e6)
  } finally {
    await gateway.close()
  }
}

/** Of the process and its children. */
function memoryOf(pid: number): number {
  const status = (id: string): string => readFileSync(`/proc/${id}/status`, 'utf8')
  return readdirSync('/proc')
    .filter(id => /^\d+$/.test(id))
    .filter(id => id === String(pid) || new RegExp(`^PPid:\\s+${pid}$`, 'm').test(status(id)))
    .reduce((sum, id) => sum + 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status(id))?.[1] ?? 0), 0)
}
