// Which APIs the cluster serves: its list of groups is read once, and what is in a group when somebody asks for that.
import { text } from 'node:stream/consumers'
import type { Resource } from '../../../api/resource.ts'
import { ifPermitted } from './permitted.ts'
import type { LogClient } from './pod-log.ts'

interface GroupList {
  readonly groups: readonly { readonly name: string; readonly versions: readonly { readonly groupVersion: string }[] }[]
}

interface ResourceList {
  readonly resources: readonly { readonly name: string }[]
}

export class Discovery {
  private readonly client: LogClient
  private readonly answers = new Map<string, Promise<unknown>>()

  constructor(client: LogClient) {
    this.client = client
  }

  /** @returns undefined when that is not to be known */
  async servesVersion(group: string, version: string): Promise<boolean | undefined> {
    const list = await this.read<GroupList>('/apis')
    return list?.groups.some(({ versions }) => versions.some(served => served.groupVersion === `${group}/${version}`))
  }

  /** @returns undefined when that is not to be known */
  async serves({
    group,
    version,
    plural,
  }: Pick<Resource, 'group' | 'version' | 'plural'>): Promise<boolean | undefined> {
    const isServed = await this.servesVersion(group, version)
    if (isServed !== true) return isServed
    const list = await this.read<ResourceList>(`/apis/${group}/${version}`)
    return list?.resources.some(({ name }) => name === plural)
  }

  private read<Answer>(path: string): Promise<Answer | undefined> {
    const there = this.answers.get(path)
    if (there !== undefined) return there as Promise<Answer | undefined>
    const answer = ifPermitted(
      this.client
        .raw(path)
        .then(text)
        .then(json => JSON.parse(json) as Answer),
    )
    this.answers.set(path, answer)
    answer.catch(() => this.answers.delete(path))
    return answer
  }
}
