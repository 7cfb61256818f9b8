// Releases are kept in the target cluster as Secrets, so that everybody who delivers there sees the same
// history, on any Kubernetes.
import type { Secret } from '../api/generated/models.ts'
import type { KubeObject, New } from '../api/object.ts'
import { secrets } from '../api/resources.ts'
import type { Client } from '../client/client.ts'

/**
 * `failed`: taken back whole, what was there before is in place. `interrupted`: nobody knows how far it came;
 * what it brought may be there.
 */
export type ReleaseState = 'pending' | 'deployed' | 'failed' | 'interrupted' | 'superseded'

export interface Release {
  readonly service: string
  readonly environment: string
  readonly namespace: string
  /** Counts up from 1 for each service in its namespace. */
  readonly revision: number
  readonly version: string
  readonly state: ReleaseState
  readonly at: string
  /** Why it failed. */
  readonly reason?: string
  /** Set by a rollback: the revision it went back to. */
  readonly rollbackTo?: number
  readonly objects: readonly {
    readonly group: string
    readonly version: string
    readonly plural: string
    readonly kind: string
    readonly object: New<KubeObject>
  }[]
}

const secretType = 'sampan.dev/release'
const keptReleases = 10
const nameOf = (service: string, revision: number): string => `sampan.release.${service}.v${revision}`

export class ReleaseHistory {
  private readonly client: Client
  private readonly namespace: string
  private readonly service: string

  constructor(client: Client, namespace: string, service: string) {
    this.client = client
    this.namespace = namespace
    this.service = service
  }

  /** Newest first. */
  async list(): Promise<Release[]> {
    const { items } = await this.client.list(secrets, {
      namespace: this.namespace,
      labelSelector: `sampan.dev/release=${this.service}`,
    })
    return items.map(decode).sort((left, right) => right.revision - left.revision)
  }

  async add(release: Release): Promise<void> {
    await this.client.create(secrets, encode(release))
    const all = await this.list()
    // However many attempts failed, there stays one to go back to.
    const good = all.find(({ state }) => state === 'superseded')
    const old = all.filter(({ state }) => state !== 'deployed').slice(keptReleases)
    // What cannot be deleted now goes with a later release.
    await Promise.all(
      old
        .filter(candidate => candidate !== good)
        .map(({ revision }) =>
          this.client
            .delete(secrets, { namespace: this.namespace, name: nameOf(this.service, revision) })
            .catch(() => {}),
        ),
    )
  }

  async setState(release: Release, state: ReleaseState, reason?: string): Promise<void> {
    const { data, metadata } = encode({ ...release, state, ...(reason !== undefined && { reason }) })
    await this.client.patch(
      secrets,
      { namespace: this.namespace, name: nameOf(release.service, release.revision) },
      { type: 'merge', value: { data, metadata: { labels: metadata.labels } } },
    )
  }
}

function encode(release: Release): New<Secret> & Pick<Secret, 'type' | 'data'> {
  return {
    metadata: {
      name: nameOf(release.service, release.revision),
      namespace: release.namespace,
      labels: {
        'sampan.dev/release': release.service,
        'sampan.dev/revision': String(release.revision),
        'sampan.dev/state': release.state,
      },
    },
    type: secretType,
    data: { release: Buffer.from(JSON.stringify(release)).toString('base64') },
  }
}

function decode(secret: Secret): Release {
  return JSON.parse(Buffer.from(secret.data?.['release'] ?? '', 'base64').toString()) as Release
}
