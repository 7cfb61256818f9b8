// The gateway of a cluster in the test's process: the kinds of the Gateway API, the Gateway that a cluster of Sampan offers,
// and what says in statuses what becomes of routes, with a double in place of HAProxy.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayClasses, gateways } from '../api/gateway-api/resources.ts'
import { gatewayClassName, gatewayController, offeredGateway } from '../api/gateway-names.ts'
import type { Client } from '../client/client.ts'
import { startGateway, type Gateway, type GatewayOptions } from '../gateway/gateway.ts'
import { installKinds } from '../gateway/install-kinds.ts'
import { machineClock } from '../host/machine-clock.ts'
import { silentLogger } from '../lib/logger.ts'

export async function startOfferedGateway(
  client: Client,
  identities: GatewayOptions['identities'] = noIdentities,
): Promise<Gateway> {
  await installKinds({ client, clock: machineClock, logger: silentLogger })
  await client.create(gatewayClasses, {
    metadata: { name: gatewayClassName },
    spec: { controllerName: gatewayController },
  })
  await client.create(gateways, {
    metadata: offeredGateway,
    spec: {
      gatewayClassName,
      addresses: [{ type: 'IPAddress', value: '127.0.0.1' }],
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
    },
  })
  return runningGateway(client, identities)
}

/** Nothing is logged. */
export const noAccessLog = { file: join(tmpdir(), 'access.log'), socket: join(tmpdir(), 'log.sock') }

/** Nobody logs in. */
export const noIdentities = {
  directory: tmpdir(),
  loginSocket: join(tmpdir(), 'logins.sock'),
  ownAuthority: () => undefined,
}

/** Where there is all that it serves. */
export async function runningGateway(
  client: Client,
  identities: GatewayOptions['identities'] = noIdentities,
): Promise<Gateway> {
  const kinds = await installKinds({ client, clock: machineClock, logger: silentLogger })
  return startGateway({
    client,
    haproxy: { bring: async () => 'none', leave: () => {}, listensAt: () => new Set(), refusal: async () => undefined },
    front: { address: '127.0.0.1', port: 80, ownAddresses: ['127.7.0.1'] },
    kinds: Promise.resolve(kinds),
    machineAddresses: () => new Set(),
    leadPackets: () => Promise.resolve(),
    vouch: async () => new Map(),
    identities,
    accessLog: noAccessLog,
    want: () => {},
    clock: machineClock,
    logger: silentLogger,
  })
}
