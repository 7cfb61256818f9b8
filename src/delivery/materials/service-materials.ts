// What a release has on backing services: where the server is, and the credentials, which are made once and found
// again in the release that runs.
import { DeployError } from '../deploy-error.ts'
import type { Engine } from '../engine/engine.ts'
import type { Bundle, Place } from '../engine/parts.ts'
import type { BackingServiceWish } from '../manifest/manifest.ts'
import { administratorBundle, bundleOf, entryOf } from '../plan/bundles.ts'
import type { ServiceMaterial } from '../plan/materials.ts'
import type { ServiceNeed, ServiceServer } from '../plan/step.ts'
import type { Release } from '../release.ts'
import type { BackingService, Credentials, Granted, ManagedServer } from '../services/backing-service.ts'
import type { ExternalServer } from '../team/team.ts'

export interface ServiceMaterialsInput {
  readonly engine: Engine
  readonly place: Place
  readonly present: Release | undefined
  readonly load: (type: BackingServiceWish['type']) => Promise<BackingService>
  /** A server of the environment that exists already; undefined: one is made beside the service. */
  readonly external: (type: BackingServiceWish['type']) => (ExternalServer & { readonly pem?: string }) | undefined
  /** Value of a secret of the environment. @throws DeployError */
  readonly secret: (name: string) => string
  /** Text of letters and digits that nobody can guess. */
  readonly password: () => string
}

export async function serviceMaterial(
  wish: BackingServiceWish,
  input: ServiceMaterialsInput,
): Promise<ServiceMaterial> {
  const { engine, place, present, load, external, secret } = input
  const backing = await load(wish.type)
  const existing = external(wish.type)
  const before = present?.needs.find(({ type }) => type === wish.type)
  const known = async (name: string | undefined): Promise<Bundle | undefined> =>
    name === undefined ? undefined : engine.readBundle(place, name)
  const server = serverOf(wish, backing, place, existing)
  const sameServer = before !== undefined && before.server.kind === server.kind
  const administrator =
    existing === undefined
      ? ((await known(administratorBundle(place.service, wish.type))) ?? {
          ...credentialsBundle(place, wish.type, { user: backing.administrator, password: input.password() }),
          name: administratorBundle(place.service, wish.type),
        })
      : credentialsBundle(place, `${wish.type}-server`, { user: existing.user, password: secret(existing.password) })
  const database = wish.database ?? (existing === undefined ? place.service : ownName(place))
  const earlier = sameServer && before.database === database ? await known(before.credentials) : undefined
  const credentials =
    backing.credentials === 'administrator'
      ? credentialsOf(administrator)
      : earlier === undefined
        ? { user: database, password: input.password() }
        : credentialsOf(earlier)
  const granted: Granted = {
    host: server.kind === 'managed' ? server.workload : server.host,
    port: existing?.port ?? backing.port.port,
    database,
    credentials,
    secure: existing?.pem !== undefined,
    exclusive: existing === undefined,
  }
  const variables = backing.variables(granted)
  const bundle = bundleOf(place.service, wish.type, true, { ...variables, ...credentials })
  const need: ServiceNeed = {
    type: wish.type,
    database,
    credentials: bundle.name,
    administrator: administrator.name,
    server,
    owner: `${place.environment}/${place.service}`,
  }
  return {
    wish,
    need,
    credentials: bundle,
    administrator,
    ...(existing === undefined && { server: managedServer(wish, backing, credentialsOf(administrator)) }),
    variables: Object.keys(variables),
  }
}

function managedServer(
  { image, registry }: BackingServiceWish,
  backing: BackingService,
  administrator: Credentials,
): ManagedServer {
  const server = backing.managed({ ...(image !== undefined && { image }), administrator })
  if (image !== undefined || registry === undefined) return server
  return { ...server, process: { ...server.process, image: `${registry}/${server.process.image}` } }
}

function serverOf(
  wish: BackingServiceWish,
  { port, administration }: BackingService,
  { service }: Place,
  existing: (ExternalServer & { readonly pem?: string }) | undefined,
): ServiceServer {
  const asked = (administration ?? port).port
  if (existing === undefined) return { kind: 'managed', workload: `${service}-${wish.type}`, port: port.port, asked }
  const { host, pem } = existing
  return {
    kind: 'external',
    host,
    port: existing.port ?? port.port,
    asked: administration === undefined ? (existing.port ?? port.port) : asked,
    ...(pem !== undefined && { authority: pem }),
  }
}

/** On a server that environments share, each has names of its own. */
const ownName = ({ environment, service }: Place): string => `${environment}_${service}`.replaceAll('-', '_')

const credentialsBundle = ({ service }: Place, role: string, credentials: Credentials): Bundle =>
  bundleOf(service, role, true, { ...credentials })

function credentialsOf(bundle: Bundle): Credentials {
  const [user, password] = [entryOf(bundle, 'user'), entryOf(bundle, 'password')]
  if (user === undefined || password === undefined)
    throw new DeployError(`"${bundle.name}" is to hold a user and a password, and does not; somebody changed it`)
  return { user, password }
}
