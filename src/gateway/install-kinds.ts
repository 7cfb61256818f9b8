// Brings the kinds of the Gateway API into the cluster, so that nobody has to install them first. What is there already and
// is no older stays untouched: a start of a cluster that has them writes nothing.
import type { CustomResourceDefinition } from '../api/generated/models.ts'
import { customResourceDefinitions } from '../api/resources.ts'
import type { Client, Informer } from '../client/client.ts'
import type { Clock } from '../lib/clock.ts'
import { errorText } from '../lib/error-text.ts'
import type { Logger } from '../lib/logger.ts'
import type { GatewayDefinition } from './kinds/definition.ts'
import { kindNames, kindVersions, neededKinds } from './kinds/needed-kinds.ts'

export interface InstallOptions {
  /** That may write definitions. */
  readonly client: Client
  readonly clock: Clock
  readonly logger: Logger
}

const fieldManager = 'sampan-gateway'
const patienceMs = 10_000

/**
 * Resolves when each kind that could be installed is served; what could not be is told in the log.
 * @returns the names of the definitions by which objects are served in the version in which they are read
 */
export async function installKinds({ client, clock, logger }: InstallOptions): Promise<readonly string[]> {
  const definitions = client.informer(customResourceDefinitions)
  await definitions.synced
  const { needed, foreign } = neededKinds(name => definitions.get({ name }))
  if (foreign.length > 0) logger.info('kinds of the Gateway API stay as somebody else installed them', { foreign })
  if (needed.length > 0) {
    const { gatewayDefinitions } = await import('./kinds/all.ts')
    // One after the other: what checking each takes is free again for the next.
    for (const definition of gatewayDefinitions)
      if (needed.includes(definition.metadata.name)) await install(definition)
  }
  const late = await notEstablished(definitions, clock)
  if (late.length > 0) logger.warn('kinds of the Gateway API are not served', { kinds: late })
  return kindNames.filter(name => {
    const found = definitions.get({ name })
    return found !== undefined && isEstablished(found) && isServed(found, kindVersions.get(name)!)
  })

  async function install(definition: GatewayDefinition): Promise<void> {
    const { name } = definition.metadata
    try {
      await client.patch(
        customResourceDefinitions,
        { name },
        { type: 'apply', value: definition, force: true },
        { fieldManager },
      )
    } catch (error) {
      logger.warn('a kind of the Gateway API could not be installed', { name, error: errorText(error) })
    }
  }
}

/** Waits for them. @returns the names of those that are there and do not become established */
function notEstablished(definitions: Informer<CustomResourceDefinition>, clock: Clock): Promise<readonly string[]> {
  const waiting = new Set(kindNames.filter(name => definitions.get({ name })))
  return new Promise(resolve => {
    const timer = clock.after(patienceMs, finish)
    const stop = definitions.subscribe(({ object }) => {
      if (isEstablished(object)) waiting.delete(object.metadata.name)
      // Not before `stop` is there.
      if (waiting.size === 0) queueMicrotask(finish)
    })
    if (waiting.size === 0) queueMicrotask(finish)

    function finish(): void {
      timer.cancel()
      stop()
      resolve([...waiting])
    }
  })
}

const isServed = ({ spec }: CustomResourceDefinition, version: string): boolean =>
  spec.versions.some(({ name, served }) => served && name === version)

const isEstablished = ({ status }: CustomResourceDefinition): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') === true
