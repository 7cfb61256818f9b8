// Keeps configuration in the cluster, and takes away only what was kept by this.
import { isAlreadyExists } from '../../../api/api-error.ts'
import type { ConfigMap, Secret } from '../../../api/generated/models.ts'
import { configMaps, secrets } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { findObject } from '../../../client/find-object.ts'
import { removeObject } from '../../../control/removal.ts'
import type { Bundle, Place } from '../parts.ts'
import { bundleLabels, bundleObject, bundleOfConfigMap, bundleOfSecret, isBundle } from './bundle-objects.ts'
import { fieldManager, selectorText } from './labels.ts'

export class Bundles {
  private readonly client: Client

  constructor(client: Client) {
    this.client = client
  }

  async keep({ namespace }: Place, bundle: Bundle): Promise<void> {
    const { resource, object } = bundleObject(namespace, bundle)
    try {
      await this.client.create(resource, object, { fieldManager })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  async read(place: Place, name: string): Promise<Bundle | undefined> {
    const [configMap, secret] = await this.find(place, name)
    if (configMap !== undefined) return bundleOfConfigMap(configMap)
    return secret === undefined ? undefined : bundleOfSecret(secret)
  }

  async names({ namespace, service }: Place): Promise<readonly string[]> {
    const selection = { namespace, labelSelector: selectorText(bundleLabels(service)) }
    const [maps, kept] = await Promise.all([
      this.client.list(configMaps, selection),
      this.client.list(secrets, selection),
    ])
    return [...maps.items, ...kept.items].map(({ metadata }) => metadata.name).toSorted()
  }

  async drop(place: Place, name: string): Promise<void> {
    const [configMap, secret] = await this.find(place, name)
    await Promise.all([
      configMap && removeObject(this.client, configMaps, configMap),
      secret && removeObject(this.client, secrets, secret),
    ])
  }

  /** A name that somebody else has given to something of his is none of ours. */
  private async find({ namespace }: Place, name: string): Promise<[ConfigMap | undefined, Secret | undefined]> {
    const [configMap, secret] = await Promise.all([
      findObject(this.client, configMaps, { namespace, name }),
      findObject(this.client, secrets, { namespace, name }),
    ])
    return [
      configMap !== undefined && isBundle(configMap.metadata) ? configMap : undefined,
      secret !== undefined && isBundle(secret.metadata) ? secret : undefined,
    ]
  }
}
