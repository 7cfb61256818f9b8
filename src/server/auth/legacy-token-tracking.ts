// Writes down that service account tokens of the older sort are used: the day of the last use at the Secret, and
// since when that is done in a ConfigMap. Source: pkg/serviceaccount/legacy.go,
// pkg/controlplane/controller/legacytokentracking.
import type { ConfigMap, Secret } from '../../api/generated/models.ts'
import { dateOf, dateText, dayMs, lastUsedLabel, tokenTracking } from '../../api/legacy-token.ts'
import { configMaps, secrets } from '../../api/resources.ts'
import type { Timer } from '../../lib/clock.ts'
import { serverCaller } from '../bootstrap.ts'
import { update } from '../operations/update.ts'
import { publishObject } from '../publish-object.ts'
import { keyOfTarget } from '../request.ts'
import type { ServerContext } from '../server-context.ts'

/** Servers of which some track and some do not would otherwise make it and delete it all the time. */
const betweenCreationsMs = 30 * 60_000
const key = keyOfTarget(tokenTracking)

/** Resolves when the ConfigMap is there. @returns how to stop keeping it */
export async function keepTokenTracking(context: ServerContext): Promise<() => void> {
  const { storage, clock, logger } = context
  let nextCreationMs = 0
  let timer: Timer | undefined
  const keep = async (): Promise<void> => {
    const stored = storage.get(configMaps, key)
    if (stored === undefined) {
      const waitMs = nextCreationMs - clock.now()
      if (waitMs > 0)
        return void (timer ??= clock.after(waitMs, () => {
          timer = undefined
          tryToKeep()
        }))
      nextCreationMs = clock.now() + betweenCreationsMs
      return publishObject(context, configMaps, { metadata: tokenTracking, data: { since: dateText(clock.now()) } })
    }
    const map = stored.object as ConfigMap
    if (dateOf(map.data?.['since']) === undefined)
      await storage.put(
        configMaps,
        key,
        structuredClone({ ...map, data: { ...map.data, since: dateText(clock.now()) } }),
        stored.revision,
      )
  }
  const tryToKeep = (): void =>
    void keep().catch((error: Error) =>
      logger.warn('since when the use of tokens is tracked could not be written', { error: error.message }),
    )
  await keep()
  const stop = storage.cache(configMaps).subscribe(change => {
    if (change.current.key === key) tryToKeep()
  })
  return () => {
    timer?.cancel()
    stop()
  }
}

/** Notes at the Secret that its token was used today, once a day; nobody waits for it. */
export function noteUse(context: ServerContext, { metadata: { namespace, name, uid, labels } }: Secret): void {
  const { clock, kinds, logger } = context
  const today = dateText(clock.now())
  const lastUsed = labels?.[lastUsedLabel]
  // Tomorrow is where the clock of another server may be.
  if (lastUsed === today || lastUsed === dateText(clock.now() + dayMs)) return
  const kind = kinds.find(secrets.group, secrets.version, secrets.plural)!
  update(
    context,
    { kind, namespace, name },
    {
      change: current =>
        current.metadata.uid === uid
          ? {
              ...current,
              metadata: {
                ...current.metadata,
                resourceVersion: '',
                labels: { ...current.metadata.labels, [lastUsedLabel]: today },
              },
            }
          : current,
    },
    serverCaller(),
  ).catch((error: Error) =>
    logger.warn('the use of a service account token could not be written down', {
      namespace,
      secret: name,
      error: error.message,
    }),
  )
}
