// Marks service account tokens of the older sort as no longer good when they were made by Kubernetes and nobody
// has used them for a year, and deletes them a year later. Looks at each once a day.
import type { Secret } from '../../api/generated/models.ts'
import {
  accountNameAnnotation,
  dateText,
  dayMs,
  invalidSinceLabel,
  isLegacyToken,
  tokenTracking,
} from '../../api/legacy-token.ts'
import { keyOf } from '../../api/object.ts'
import { podReferences } from '../../api/pod-references.ts'
import { configMaps, pods, secrets, serviceAccounts } from '../../api/resources.ts'
import type { Client } from '../../client/client.ts'
import { defineController, watch } from '../../control/controller.ts'
import { unlessNotFound } from '../../control/removal.ts'
import { judge } from './plan.ts'

export const legacyServiceAccountTokenCleaner = defineController({
  name: 'legacy-serviceaccount-token-cleaner',
  watches: [
    watch({ resource: secrets, keysOf: secret => (isLegacyToken(secret) ? [keyOf(secret)] : []) }),
    // Looked up, but no reason to look.
    ...[configMaps, serviceAccounts, pods].map(resource => watch({ resource, keysOf: () => [] })),
  ],
  reconciler:
    ({ client, clock, logger }) =>
    async key => {
      const [namespace = '', name = ''] = key.split('/')
      const secret = client.informer(secrets).get({ namespace, name })
      if (secret === undefined || !isLegacyToken(secret)) return 'done'
      const verdict = judge(observe(client, secret), clock.now())
      if (verdict === 'keep') return { requeueAfterMs: dayMs }
      logger.info(
        verdict === 'delete'
          ? 'a service account token that nobody uses is deleted'
          : 'a service account token that nobody uses is no longer good',
        { namespace, secret: name },
      )
      if (verdict === 'delete') {
        const { uid, resourceVersion } = secret.metadata
        await unlessNotFound(client.delete(secrets, secret.metadata, { preconditions: { uid, resourceVersion } }))
        return 'done'
      }
      const labels = { ...secret.metadata.labels, [invalidSinceLabel]: dateText(clock.now()) }
      await client.update(secrets, { ...secret, metadata: { ...secret.metadata, labels } })
      return { requeueAfterMs: dayMs }
    },
})

function observe(client: Client, secret: Secret): Parameters<typeof judge>[0] {
  const { namespace = '', name, annotations } = secret.metadata
  return {
    secret,
    account: client.informer(serviceAccounts).get({ namespace, name: annotations?.[accountNameAnnotation] ?? '' }),
    trackedSince: client.informer(configMaps).get(tokenTracking)?.data?.['since'],
    isMounted: () =>
      client
        .informer(pods)
        .list(namespace)
        .some(pod => podReferences(pod).secrets.has(name)),
  }
}
