// Gives every namespace its `default` service account.
import { isAlreadyExists } from '../../api/api-error.ts'
import { namespaces, serviceAccounts } from '../../api/resources.ts'
import { defineController, watch } from '../../control/controller.ts'
import { isNamespaceTerminating } from '../../control/namespace-terminating.ts'

const name = 'default'

export const serviceAccountController = defineController({
  name: 'serviceaccount',
  primary: namespaces,
  watches: [
    watch({
      resource: serviceAccounts,
      matters: () => false,
      keysOf: ({ metadata }) => (metadata.name === name ? [metadata.namespace ?? ''] : []),
    }),
  ],
  reconciler:
    ({ client }) =>
    async key => {
      const namespace = client.informer(namespaces).get({ name: key })
      if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return 'done'
      if (client.informer(serviceAccounts).get({ namespace: key, name }) !== undefined) return 'done'
      try {
        await client.create(serviceAccounts, { metadata: { namespace: key, name } })
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
      }
      return 'done'
    },
})
