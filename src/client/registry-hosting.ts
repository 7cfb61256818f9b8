// Where the registry of a cluster on this machine is, as such clusters tell it: a ConfigMap of kube-public that
// Tilt, Skaffold and others read as well. Source: Kubernetes enhancement 1755.
import { parse } from 'yaml'
import { yamlText } from '../lib/yaml-text.ts'
import { isAlreadyExists } from '../api/api-error.ts'
import { configMaps } from '../api/resources.ts'
import type { Client } from './client.ts'
import { findObject } from './find-object.ts'

export interface RegistryHosting {
  /** `127.0.0.1:5000`, as seen from the machine. */
  readonly host: string
  /** What images of it are called in pods. */
  readonly hostFromContainerRuntime?: string
}

const name = { namespace: 'kube-public', name: 'local-registry-hosting' }
const key = 'localRegistryHosting.v1'

/** undefined: the cluster names none. */
export async function registryHosting(client: Client): Promise<RegistryHosting | undefined> {
  const text = (await findObject(client, configMaps, name))?.data?.[key]
  const found = (text === undefined ? undefined : parse(text)) as Partial<RegistryHosting> | null | undefined
  return typeof found?.host === 'string' ? { ...found, host: found.host } : undefined
}

export async function publishRegistryHosting(client: Client, hosting: RegistryHosting): Promise<void> {
  const data = { [key]: yamlText(hosting) }
  try {
    await client.create(configMaps, { metadata: { ...name }, data })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    await client.patch(configMaps, name, { type: 'merge', value: { data } })
  }
}
