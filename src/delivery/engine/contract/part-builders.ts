// The parts that the suite asks engines for, each with what its test changes of it.
import type { Entrance, Place, Process, Route, Run, Schedule, Workload } from '../parts.ts'
import type { TestProcesses } from './engine-world.ts'

export const timeLimitSeconds = 60
export const port = { name: 'http', port: 8080, protocol: 'TCP' } as const

type Owner = Pick<Place, 'service'>

/** @param processes known once the world is there */
export function partBuilders(processes: () => TestProcesses) {
  const workload = ({ service }: Owner, more: Partial<Workload> = {}): Workload => ({
    kind: 'workload',
    name: service,
    service,
    version: '1.0.0',
    track: 'main',
    serving: true,
    instances: 1,
    process: processes().serves,
    ports: [port],
    health: { kind: 'tcp', port: 'http' },
    stopSeconds: 1,
    update: 'rolling',
    spread: true,
    disruptionBudget: true,
    ...more,
  })
  const entrance = ({ service }: Owner, more: Partial<Entrance> = {}): Entrance => ({
    kind: 'entrance',
    name: service,
    service,
    leadsTo: 'serving',
    ports: [port],
    ...more,
  })
  const route = ({ service }: Owner, more: Partial<Route> = {}): Route => ({
    kind: 'route',
    name: `${service}-api`,
    service,
    host: `${service}.example.com`,
    path: '/api',
    entrance: service,
    port: 'http',
    ...more,
  })
  const schedule = ({ service }: Owner, more: Partial<Schedule> = {}): Schedule => ({
    kind: 'schedule',
    name: `${service}-report`,
    service,
    version: '1.0.0',
    task: 'report',
    timing: { cron: '0 0 1 1 *' },
    process: processes().says(['reported'], 0),
    overlap: false,
    retries: 0,
    ...more,
  })
  const run = ({ service }: Owner, process: Process, more: Partial<Run> = {}): Run => ({
    name: `${service}-run`,
    service,
    version: '1.0.0',
    process,
    timeLimitSeconds,
    ...more,
  })
  return { workload, entrance, route, schedule, run }
}
