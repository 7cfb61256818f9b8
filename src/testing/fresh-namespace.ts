// A namespace of its own for a test, in which pods can be made at once.
import { namespaces, serviceAccounts } from '../api/resources.ts'
import type { TestServer } from './in-process-server.ts'

let made = 0

/** Returns its name. The service account that pods run as is there; elsewhere a control loop would make it. */
export async function freshNamespace({ local }: TestServer, labels?: Record<string, string>): Promise<string> {
  const namespace = `n${++made}`
  await local.create(namespaces, { metadata: { name: namespace, ...(labels && { labels }) } })
  await local.create(serviceAccounts, { metadata: { namespace, name: 'default' } })
  return namespace
}
