// A gateway's model for a measurement: services, each reached at `/` of a host of its name.
import type { Action, GatewayModel, Handling, Host, Server } from '../../src/gateway/model/model.ts'

const forward = (backend: string): Action => ({ shares: [{ backend, weight: 1 }] })

interface Guard {
  readonly handling: Handling
  readonly credentials: GatewayModel['credentials']
}

/** @param services name of each -> its servers; reached at `/` of a host of its name */
export function modelOf(
  port: number,
  services: ReadonlyMap<string, readonly Server[]>,
  { handling, credentials }: Guard = { handling: {}, credentials: new Map() },
): GatewayModel {
  const hosts = [...services.keys()].map((name): Host => ({
    name: { kind: 'exact', name: `${name}.localhost` },
    listener: '',
    rules: [
      {
        source: name,
        match: { path: { kind: 'prefix', value: '/' }, headers: [], query: [] },
        action: forward(name),
      },
    ],
  }))
  return {
    entrances: [{ address: '127.0.0.1', port, hosts }],
    backends: new Map([...services].map(([id, servers]) => [id, { id, handling, protocol: 'http', servers }])),
    credentials,
    certificates: new Map(),
  }
}
