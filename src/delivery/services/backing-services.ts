// All kinds of backing services, by the word in `app.yml`. Each is loaded when it is used, and its library when it
// speaks to a server.
import type { BackingServiceType } from '../manifest/manifest.ts'
import type { BackingService } from './backing-service.ts'

const load: Readonly<Record<BackingServiceType, () => Promise<BackingService>>> = {
  postgres: async () => (await import('./postgres/postgres.ts')).postgres,
  mysql: async () => (await import('./mysql/mysql.ts')).mysql,
  mongo: async () => (await import('./mongo/mongo.ts')).mongo,
  redis: async () => (await import('./redis/redis.ts')).redis,
  rabbitmq: async () => (await import('./rabbitmq/rabbitmq.ts')).rabbitmq,
  nats: async () => (await import('./nats/nats.ts')).nats,
  s3: async () => (await import('./s3/s3.ts')).s3,
}

export const backingService = (type: BackingServiceType): Promise<BackingService> => load[type]()
