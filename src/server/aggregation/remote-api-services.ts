// Which groups and versions somebody else answers for: the APIServices that name a service, with what was
// last found out about each. Made again after a change, not for each request.
import type { APIService } from '../../api/generated/models.ts'
import { apiServices } from '../../api/resources.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

export interface RemoteApiService {
  readonly name: string
  readonly group: string
  readonly version: string
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  /** PEM; the machine's own authorities without it. */
  readonly authority: string | undefined
  readonly verifies: boolean
  readonly available: boolean
  readonly groupPriority: number
  readonly versionPriority: number
}

/** The one condition that APIServices have. */
export const availableOf = ({
  status,
}: APIService): NonNullable<NonNullable<APIService['status']>['conditions']>[number] | undefined =>
  status?.conditions?.find(({ type }) => type === 'Available')

export class RemoteApiServices {
  private known: ReadonlyMap<string, RemoteApiService> | undefined
  private readonly storage: ObjectStorage

  constructor(storage: ObjectStorage) {
    this.storage = storage
    storage.cache(apiServices).subscribe(() => {
      this.known = undefined
    })
  }

  find(group: string, version: string): RemoteApiService | undefined {
    return this.all().get(`${version}.${group}`)
  }

  /** Of one group, the preferred version first. */
  versionsOf(group: string): RemoteApiService[] {
    return [...this.all().values()]
      .filter(each => each.group === group)
      .toSorted((a, b) => b.versionPriority - a.versionPriority)
  }

  /** By name. */
  all(): ReadonlyMap<string, RemoteApiService> {
    return (this.known ??= new Map(
      this.storage
        .cache(apiServices)
        .list()
        .flatMap(({ key, object }) => {
          const remote = remoteOf(object as APIService)
          return remote === undefined ? [] : [[key, remote] as const]
        }),
    ))
  }
}

function remoteOf(object: APIService): RemoteApiService | undefined {
  const { metadata, spec } = object
  if (spec?.service === undefined) return undefined
  const { namespace = '', name = '', port = 443 } = spec.service
  return {
    name: metadata.name,
    group: spec.group ?? '',
    version: spec.version ?? '',
    service: { namespace, name, port },
    authority: spec.caBundle === undefined ? undefined : Buffer.from(spec.caBundle, 'base64').toString(),
    verifies: spec.insecureSkipTLSVerify !== true,
    available: availableOf(object)?.status === 'True',
    groupPriority: spec.groupPriorityMinimum,
    versionPriority: spec.versionPriority,
  }
}
