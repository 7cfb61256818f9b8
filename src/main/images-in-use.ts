// Which images the cluster uses, as digests: of its pods, of what makes pods, of the images that containers run at the
// moment, and of the releases that are kept to go back to. More than is meant does no harm, less would: each digest that
// stands anywhere in them counts.
import type { Resource } from '../api/resource.ts'
import {
  controllerRevisions,
  cronJobs,
  daemonSets,
  deployments,
  jobs,
  pods,
  podTemplates,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '../api/resources.ts'
import type { Client } from '../client/client.ts'

const digests = /\b(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})(?![0-9a-f])/g
const users: readonly Resource[] = [
  pods,
  deployments,
  replicaSets,
  statefulSets,
  daemonSets,
  jobs,
  cronJobs,
  replicationControllers,
  podTemplates,
  controllerRevisions,
]

/** @throws when the cluster cannot tell, or a release cannot be read */
export async function imagesInUse(client: Client): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const look = (content: unknown): void => {
    for (const [digest] of JSON.stringify(content).matchAll(digests)) found.add(digest)
  }
  for (const resource of users) look((await client.list(resource)).items)
  // Loaded when it is used: a start does not wait for it.
  const { allReleases } = await import('../delivery/engine/kubernetes/secret-ledger.ts')
  for (const release of await allReleases(client)) look(release)
  return found
}
