// A way to a backing service for the time of some work: its address as it is reached from this machine, and the
// credentials that the engine keeps.
import { DeployError } from '../deploy-error.ts'
import type { Engine } from '../engine/engine.ts'
import type { Place } from '../engine/parts.ts'
import type { BackingServiceType } from '../manifest/manifest.ts'
import { entryOf } from '../plan/bundles.ts'
import type { ServiceNeed } from '../plan/step.ts'
import type { BackingService, Credentials, Reached, Wanted } from './backing-service.ts'

/** A server that is ready may still be setting itself up. */
const startSeconds = 60

export interface ServerAccess {
  readonly engine: Engine
  readonly place: Place
  readonly service: (type: BackingServiceType) => Promise<BackingService>
}

/** @throws ServiceFailure, or DeployError when its credentials are gone */
export async function withServer<T>(
  need: ServiceNeed,
  access: ServerAccess,
  work: (backing: BackingService, server: Reached, wanted: Wanted) => Promise<T>,
): Promise<T> {
  const { server } = need
  const { backing, administrator, wanted } = await knownOf(need, access)
  const way =
    server.kind === 'managed'
      ? await access.engine.reach(access.place, { workload: server.workload, port: server.asked })
      : { host: server.host, port: server.asked, close: () => {} }
  const reached: Reached = {
    host: way.host,
    port: way.port,
    administrator,
    ...(server.kind === 'external'
      ? server.authority !== undefined && { authority: server.authority }
      : { waitSeconds: startSeconds }),
  }
  try {
    return await work(backing, reached, wanted)
  } finally {
    way.close()
  }
}

/** @throws DeployError when its credentials are gone */
export async function knownOf(
  need: ServiceNeed,
  access: ServerAccess,
): Promise<{ readonly backing: BackingService; readonly administrator: Credentials; readonly wanted: Wanted }> {
  const { server, database, owner } = need
  const [backing, administrator, credentials] = await Promise.all([
    access.service(need.type),
    credentialsIn(need.administrator, access),
    credentialsIn(need.credentials, access),
  ])
  return { backing, administrator, wanted: { database, owner, credentials, exclusive: server.kind === 'managed' } }
}

async function credentialsIn(bundleName: string, { engine, place }: ServerAccess): Promise<Credentials> {
  const bundle = await engine.readBundle(place, bundleName)
  const [user, password] = bundle === undefined ? [] : [entryOf(bundle, 'user'), entryOf(bundle, 'password')]
  if (user === undefined || password === undefined)
    throw new DeployError(`the credentials "${bundleName}" are gone; somebody deleted them`)
  return { user, password }
}
