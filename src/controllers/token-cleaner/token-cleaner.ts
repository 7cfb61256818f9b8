// Deletes bootstrap tokens when they are over.
import { bootstrapTokenEndMs, isBootstrapToken } from '../../api/bootstrap-token.ts'
import { keyOf } from '../../api/object.ts'
import { secrets } from '../../api/resources.ts'
import { defineController, watch } from '../../control/controller.ts'
import { removeObject } from '../../control/removal.ts'

export const tokenCleaner = defineController({
  name: 'token-cleaner',
  watches: [watch({ resource: secrets, keysOf: secret => (isBootstrapToken(secret) ? [keyOf(secret)] : []) })],
  reconciler:
    ({ client, clock }) =>
    async key => {
      const [namespace, name = ''] = key.split('/')
      const secret = client.informer(secrets).get({ namespace, name })
      if (secret === undefined || !isBootstrapToken(secret)) return 'done'
      const leftMs = bootstrapTokenEndMs(secret) - clock.now()
      if (leftMs === Infinity) return 'done'
      if (leftMs > 0) return { requeueAfterMs: leftMs }
      await removeObject(client, secrets, secret)
      return 'done'
    },
})
