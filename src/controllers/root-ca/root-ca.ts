// Puts the certificate authority of the API server into every namespace, where pods mount it.
import { isAlreadyExists } from '../../api/api-error.ts'
import { configMaps, namespaces } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { ControllerDefinition } from '../../control/controller.ts'
import { defineController, watch } from '../../control/controller.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'

const name = 'kube-root-ca.crt'
const annotations = {
  'kubernetes.io/description': 'The CA that signs the certificate of the API server inside this cluster.',
}

export function rootCaController(rootCaPem: string): ControllerDefinition {
  const data = { 'ca.crt': rootCaPem }
  return defineController({
    name: 'root-ca',
    primary: namespaces,
    watches: [
      watch({
        resource: configMaps,
        keysOf: ({ metadata }) => (metadata.name === name ? [metadata.namespace ?? ''] : []),
      }),
    ],
    reconciler:
      ({ client }) =>
      async key => {
        const namespace = client.informer(namespaces).get({ name: key })
        if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return 'done'
        const current = client.informer(configMaps).get({ namespace: key, name })
        if (current !== undefined && sameJson(current.data, data)) return 'done'
        try {
          if (current === undefined)
            await client.create(configMaps, { metadata: { namespace: key, name, annotations }, data })
          else await client.update(configMaps, { ...current, data })
        } catch (error) {
          if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
        }
        return 'done'
      },
  })
}
