// Releases are kept in the cluster that they are for, as Secrets: everybody who delivers there sees the same history,
// on any Kubernetes. The mark of a record is the revision of its Secret, so that a write is a compare-and-swap.
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { isAlreadyExists, isConflict, isNotFound } from '../../../api/api-error.ts'
import type { Secret } from '../../../api/generated/models.ts'
import type { New, ObjectName } from '../../../api/object.ts'
import { secrets } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { unlessNotFound } from '../../../control/removal.ts'
import type { Clock } from '../../../lib/clock.ts'
import { DeployError } from '../../deploy-error.ts'
import { LedgerConflict, type DeliveryLease, type Ledger, type LedgerEntry, type Taker } from '../ledger.ts'
import type { Place } from '../parts.ts'
import type { Patience } from '../patience.ts'
import { takeDeliveryLease } from './delivery-lease.ts'
import { fieldManager, labelValue, oneOf } from './labels.ts'
import { patiently } from './patiently.ts'
import { Together } from './together.ts'

const secretType = 'sampan.dev/release'
const dataKey = 'release'
/** Whose release it is. */
export const releaseLabel = 'sampan.dev/release'
const [pack, unpack] = [promisify(gzip), promisify(gunzip)]

const nameOf = ({ service }: Place, revision: number): string => `sampan.release.${service}.v${revision}`

export class SecretLedger implements Ledger {
  private readonly client: Client
  private readonly clock: Clock
  private readonly lists: Together<readonly LedgerEntry[]>

  constructor(client: Client, clock: Clock) {
    this.client = client
    this.clock = clock
    this.lists = new Together((namespace, services) => entriesOf(client, namespace, services))
  }

  list(place: Place): Promise<readonly LedgerEntry[]> {
    return this.lists.ask(place)
  }

  async add(place: Place, entry: Omit<LedgerEntry, 'mark'>): Promise<LedgerEntry> {
    try {
      const secret = await this.client.create(secrets, await encoded(place, entry), { fieldManager })
      return { ...entry, mark: markOf(secret) }
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      throw new LedgerConflict(
        `somebody else began release ${entry.revision} of "${place.service}" just now; look at it and try again`,
      )
    }
  }

  async write(place: Place, entry: LedgerEntry, patience?: Patience): Promise<LedgerEntry> {
    const secret = await encoded(place, entry)
    secret.metadata.resourceVersion = entry.mark
    let asked = 0
    try {
      const ask = async (): Promise<Secret> => {
        // The request before may have arrived although nobody heard of it.
        const there = asked++ === 0 ? undefined : await this.client.get(secrets, secret.metadata as ObjectName)
        if (there?.data?.[dataKey] === secret.data?.[dataKey]) return there as Secret
        return this.client.update(secrets, secret as Secret, { fieldManager })
      }
      const written = await (patience === undefined ? ask() : patiently(this.clock, patience, ask))
      return { ...entry, mark: markOf(written) }
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
      throw new LedgerConflict(
        `the record of release ${entry.revision} of "${place.service}" was changed by somebody else meanwhile; look at it and try again`,
      )
    }
  }

  async remove(place: Place, revision: number): Promise<void> {
    const { namespace } = place
    await unlessNotFound(this.client.delete(secrets, { namespace, name: nameOf(place, revision) }))
  }

  take(place: Place, taker: Taker): Promise<DeliveryLease> {
    return takeDeliveryLease({ ...taker, client: this.client, clock: this.clock, place })
  }
}

async function entriesOf(
  client: Client,
  namespace: string,
  services: readonly string[],
): Promise<(service: string) => readonly LedgerEntry[]> {
  const { items } = await client.list(secrets, { namespace, labelSelector: oneOf(releaseLabel, services) })
  const entries = await Promise.all(
    items.map(async secret => ({ service: secret.metadata.labels?.[releaseLabel], entry: await decoded(secret) })),
  )
  return service =>
    entries
      .filter(entry => entry.service === labelValue(service))
      .map(({ entry }) => entry)
      .toSorted((left, right) => right.revision - left.revision)
}

const markOf = ({ metadata }: Secret): string => metadata.resourceVersion!

async function encoded(place: Place, { revision, state, content }: Omit<LedgerEntry, 'mark'>): Promise<New<Secret>> {
  const packed = await pack(JSON.stringify(content))
  return {
    metadata: {
      name: nameOf(place, revision),
      namespace: place.namespace,
      labels: {
        [releaseLabel]: labelValue(place.service),
        'sampan.dev/revision': String(revision),
        'sampan.dev/state': labelValue(state),
      },
    },
    type: secretType,
    data: { [dataKey]: packed.toString('base64') },
  }
}

async function decoded(secret: Secret): Promise<LedgerEntry> {
  const { labels = {} } = secret.metadata
  return {
    revision: Number(labels['sampan.dev/revision']),
    state: labels['sampan.dev/state'] ?? '',
    content: await contentOf(secret),
    mark: markOf(secret),
  }
}

async function contentOf({ metadata: { namespace, name }, data }: Secret): Promise<unknown> {
  try {
    const bytes = await unpack(Buffer.from(data?.[dataKey] ?? '', 'base64'))
    return JSON.parse(bytes.toString()) as unknown
  } catch (error) {
    throw new DeployError(
      `the record of a release in the Secret "${name}" cannot be read (${(error as Error).message}), so somebody changed it; bring it back from a backup, or forget that release: kubectl delete secret -n ${namespace} ${name}`,
    )
  }
}
