// ConfigMaps and Secrets from the shared informers; what they do not show yet is asked for, because a pod
// and its configuration are often created in the same moment.
import type { ConfigMap, Secret } from '../api/generated/models.ts'
import type { KubeObject } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { configMaps, secrets } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { findObject } from '../client/find-object.ts'

export interface ObjectSource {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>
  secret(namespace: string, name: string): Promise<Secret | undefined>
}

export function objectSource(client: Client): ObjectSource {
  const find = async <T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
  ): Promise<T | undefined> =>
    client.informer(resource).get({ namespace, name }) ?? (await findObject(client, resource, { namespace, name }))
  return {
    configMap: (namespace, name) => find(configMaps, namespace, name),
    secret: (namespace, name) => find(secrets, namespace, name),
  }
}
