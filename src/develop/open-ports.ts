// Ports of this machine that lead to those of a service, as its manifest has them at each moment: opened as they come,
// closed as they go.
import type { Engine } from '../delivery/engine/engine.ts'
import type { Place } from '../delivery/engine/parts.ts'
import type { Manifest } from '../delivery/manifest/manifest.ts'
import { lastingWay, type LastingWay } from './lasting-way.ts'

export interface OpenPortsOptions {
  readonly engine: Pick<Engine, 'reach'>
  readonly place: Place
  /** Port for a debugger. */
  readonly inspect?: number
  readonly said: (text: string) => void
}

export class OpenPorts {
  private readonly options: OpenPortsOptions
  private readonly ways = new Map<number, LastingWay>()

  constructor(options: OpenPortsOptions) {
    this.options = options
  }

  /** These, and no others from now on. */
  async open(ports: Manifest['ports']): Promise<void> {
    const { engine, place, inspect, said } = this.options
    const wanted = ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port)
    if (inspect !== undefined) wanted.push(inspect)
    for (const [port, way] of this.ways)
      if (!wanted.includes(port)) {
        way.close()
        this.ways.delete(port)
      }
    for (const port of wanted.filter(each => !this.ways.has(each))) {
      const way = await lastingWay(engine, place, { workload: place.service, port })
      this.ways.set(port, way)
      const taken = way.port === port ? '' : `, because ${port} is taken on this machine`
      said(
        port === inspect
          ? `a debugger is waited for at 127.0.0.1:${way.port}${taken}`
          : `http://localhost:${way.port} leads to port ${port} of ${place.service}${taken}`,
      )
    }
  }

  close(): void {
    for (const way of this.ways.values()) way.close()
    this.ways.clear()
  }
}
