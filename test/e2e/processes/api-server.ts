// An API server over a SQLite file, in a process that is made to be killed. Its argument names a file with
// keys and places; it says `ready` when it answers.
import { readFileSync } from 'node:fs'
import { allKinds } from '../../../src/api/kinds/all.ts'
import { machineClock } from '../../../src/host/machine-clock.ts'
import { silentLogger } from '../../../src/lib/logger.ts'
import { systemRandom } from '../../../src/main/system.ts'
import { createApiServer } from '../../../src/server/api-server.ts'
import type { KeyPairPem } from '../../../src/server/auth/certificate-authority.ts'
import { SqliteStore } from '../../../src/store/sqlite-store.ts'

export interface ApiProcessOptions {
  readonly database: string
  readonly port: number
  readonly authority: string
  readonly serving: KeyPairPem
  readonly tokenKey: string
}

const options = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ApiProcessOptions
const server = await createApiServer({
  store: await SqliteStore.open(options.database),
  kinds: allKinds,
  serviceCidr: '10.43.0.0/16',
  tokenKey: options.tokenKey,
  tokenIssuer: 'https://kubernetes.default.svc.cluster.local',
  findNodeStreams: () => undefined,
  clock: machineClock,
  random: systemRandom,
  logger: silentLogger,
})
const port = await server.listen({
  serving: options.serving,
  clientAuthority: options.authority,
  host: '127.0.0.1',
  port: options.port,
})
console.log(`ready ${port}`)
