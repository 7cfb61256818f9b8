// The geo backend: answers geo.GeoService over gRPC, with the standard health service, and finishes what
// it is doing when it is told to stop.
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { HealthImplementation } from 'grpc-health-check'
import { greatCircleKm, type Point } from './great-circle.ts'

interface Points {
  from: Point | null
  to: Point | null
}
interface Distance {
  kilometers: number
  servedBy: string
  version: string
}

const port = Number(process.env['PORT'] ?? 50051)
const version = process.env['SERVICE_VERSION'] ?? 'unknown'

const definition = loadSync(fileURLToPath(new URL('../proto/geo.proto', import.meta.url)), { defaults: true })
const { geo } = loadPackageDefinition(definition) as unknown as { geo: { GeoService: ServiceClientConstructor } }

function distanceBetween(
  { request: { from, to } }: ServerUnaryCall<Points, Distance>,
  answer: sendUnaryData<Distance>,
): void {
  if (from === null || to === null) {
    answer({ code: status.INVALID_ARGUMENT, details: 'expected two points, "from" and "to"' })
    return
  }
  try {
    answer(null, { kilometers: greatCircleKm(from, to), servedBy: hostname(), version })
  } catch (error) {
    answer({ code: status.INVALID_ARGUMENT, details: (error as Error).message })
  }
}

const server = new Server()
const health = new HealthImplementation({ '': 'SERVING' })
server.addService(geo.GeoService.service, { DistanceBetween: distanceBetween })
health.addToServer(server)
server.bindAsync(`0.0.0.0:${port}`, ServerCredentials.createInsecure(), error => {
  if (error !== null) throw error
  console.log(`geo-backend ${version} listens on ${port}`)
})

process.once('SIGTERM', () => {
  console.log('stopping: no new calls, those under way are finished')
  health.setStatus('', 'NOT_SERVING')
  server.tryShutdown(() => process.exit(0))
})
