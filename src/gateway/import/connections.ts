// Connections that are handed on as they come: a Gateway with a listener for each port, and a route for each listener. Pure.
import { gatewayClassName, gatewayGroup } from '../../api/gateway-names.ts'
import type { ImportContext } from './context.ts'
import type { SourceBackend } from './source-route.ts'

export interface Connection {
  readonly name: string
  readonly ports: readonly number[]
  /** That clients ask for by TLS, which is not ended here; none: TCP. */
  readonly names: readonly string[]
  readonly backends: readonly SourceBackend[]
}

export function connectionObjects(all: readonly Connection[], { namespace, names }: ImportContext): readonly object[] {
  const listeners = new Map<string, object>()
  if (all.length === 0) return []
  const gateway = names.take('Gateway', 'imported-connections')
  const routes = all.flatMap(({ name, ports, names: hostnames, backends }) =>
    ports.map(port => {
      const isNamed = hostnames.length > 0
      const listener = `${isNamed ? 'tls' : 'tcp'}-${port}`
      listeners.set(listener, {
        name: listener,
        port,
        protocol: isNamed ? 'TLS' : 'TCP',
        ...(isNamed && { tls: { mode: 'Passthrough' } }),
      })
      const kind = isNamed ? 'TLSRoute' : 'TCPRoute'
      return {
        apiVersion: `${gatewayGroup}/v1`,
        kind,
        metadata: { name: names.take(kind, `${name}-${port}`), namespace },
        spec: {
          parentRefs: [{ group: gatewayGroup, kind: 'Gateway', name: gateway, sectionName: listener }],
          ...(isNamed && { hostnames }),
          rules: [
            {
              backendRefs: backends.map(backend => ({
                group: '',
                kind: 'Service',
                ...backend,
                weight: backend.weight ?? 1,
              })),
            },
          ],
        },
      }
    }),
  )
  return [
    {
      apiVersion: `${gatewayGroup}/v1`,
      kind: 'Gateway',
      metadata: { name: gateway, namespace },
      spec: { gatewayClassName, listeners: [...listeners.values()] },
    },
    ...routes,
  ]
}
