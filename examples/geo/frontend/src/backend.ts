// The backend as functions, over one gRPC channel to whatever instance its name leads to.
import { fileURLToPath } from 'node:url'
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

export interface Point {
  latitude: number
  longitude: number
}
export interface Distance {
  kilometers: number
  servedBy: string
  version: string
}

const definition = loadSync(fileURLToPath(new URL('../proto/geo.proto', import.meta.url)), { defaults: true })
const { geo } = loadPackageDefinition(definition) as unknown as { geo: { GeoService: ServiceClientConstructor } }

/** Calls that meet an instance just as it goes are repeated by the channel itself. */
const serviceConfig = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service: 'geo.GeoService' }],
      waitForReady: true,
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: '0.05s',
        maxBackoff: '0.5s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE'],
      },
    },
  ],
}

/** When both services start together, the backend may be the later one: it is asked again soon, not after a second. */
const firstReconnectMs = 50

const client = new geo.GeoService(process.env['GEO_BACKEND'] ?? 'localhost:50051', credentials.createInsecure(), {
  'grpc.service_config': JSON.stringify(serviceConfig),
  'grpc.initial_reconnect_backoff_ms': firstReconnectMs,
})
const deadlineMs = 5000

export const backend = {
  distanceBetween(from: Point, to: Point): Promise<Distance> {
    return new Promise((resolve, reject) => {
      client['DistanceBetween']!(
        { from, to },
        { deadline: Date.now() + deadlineMs },
        (error: Error | null, distance: Distance) => (error === null ? resolve(distance) : reject(error)),
      )
    })
  },
  close(): void {
    client.close()
  },
}
