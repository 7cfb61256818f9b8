// The server that bench/api.ts loads: the API over the SQLite store, without control loops and node.
// Prints how to reach it as one line of JSON. Ends on SIGTERM, and only then keeps what Node.js has compiled.
import { writeFileSync } from 'node:fs'
import type { Session } from 'node:inspector/promises'
import { join } from 'node:path'
import { allKinds } from '../src/api/kinds/all.ts'
import { machineClock } from '../src/host/machine-clock.ts'
import { giveSpareMemoryBack } from '../src/host/spare-memory.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { systemRandom } from '../src/main/system.ts'
import { createApiServer } from '../src/server/api-server.ts'
import { createAuthority, generateSigningKey, signCertificate } from '../src/server/auth/certificate-authority.ts'
import { SqliteStore } from '../src/store/sqlite-store.ts'

const nowMs = Date.now()
const authority = await createAuthority('bench', 2, nowMs)
const serving = await signCertificate(
  authority,
  { commonName: 'kube-apiserver', usage: 'server', days: 1, addresses: ['127.0.0.1'] },
  nowMs,
)
const admin = await signCertificate(
  authority,
  { commonName: 'admin', organizations: ['system:masters'], usage: 'client', days: 1 },
  nowMs,
)
const store = await SqliteStore.open(join(process.argv[2]!, 'store.db'))
const server = await createApiServer({
  store,
  kinds: allKinds,
  serviceCidr: '10.43.0.0/16',
  tokenKey: await generateSigningKey(),
  tokenIssuer: 'https://kubernetes.default.svc',
  findNodeStreams: () => undefined,
  clock: machineClock,
  random: systemRandom,
  logger: silentLogger,
})
const port = await server.listen({ serving, clientAuthority: authority.certificate, host: '127.0.0.1', port: 0 })
giveSpareMemoryBack({ clock: machineClock })
console.log(JSON.stringify({ port, ca: authority.certificate, cert: admin.certificate, key: admin.key }))

process.once('SIGTERM', () => process.exit(0))

// SIGUSR2 starts a CPU profile, the next one ends it and writes it beside the database.
let profiling: Session | undefined
process.on('SIGUSR2', () => void toggleProfile())

async function toggleProfile(): Promise<void> {
  if (profiling === undefined) {
    const { Session } = await import('node:inspector/promises')
    profiling = new Session()
    profiling.connect()
    await profiling.post('Profiler.enable')
    await profiling.post('Profiler.start')
    console.log('profiling')
    return
  }
  const { profile } = await profiling.post('Profiler.stop')
  profiling.disconnect()
  profiling = undefined
  writeFileSync(join(process.argv[2]!, 'profile'), JSON.stringify(profile))
  console.log('profiled')
}
