// A registry with all its repositories: what it has, and a client for each of them.
import { BuildError } from '../build/build-error.ts'
import { text } from 'node:stream/consumers'
import { expectStatus } from './refusal.ts'
import type { RegistryClient } from './registry-client.ts'
import { RegistrySession, type RegistryClientOptions } from './registry-session.ts'

export interface Pruned {
  readonly images: readonly string[]
  readonly blobs: number
  readonly uploads: number
  readonly bytes: number
  /** Of what nobody needs and somebody pushed or asked for within the last hour; undefined: an older Sampan says nothing. */
  readonly youngBytes?: number
}

export class RegistryContent {
  private readonly address: string
  private readonly connect: (repository: string) => RegistryClient
  private readonly session: RegistrySession
  private readonly clients = new Map<string, RegistryClient>()

  /** @param address host with port, or a URL */
  constructor(address: string, connect: (repository: string) => RegistryClient, options: RegistryClientOptions = {}) {
    this.address = address
    this.connect = connect
    this.session = new RegistrySession(address, '', options)
  }

  at(repository: string): RegistryClient {
    const known = this.clients.get(repository) ?? this.connect(repository)
    this.clients.set(repository, known)
    return known
  }

  async repositories(): Promise<string[]> {
    const pages = await this.session.pages<{ repositories?: string[] | null }>('_catalog')
    return pages.flatMap(({ repositories }) => repositories ?? [])
  }

  /** @throws BuildError when it is no registry of Sampan */
  async prune(dryRun: boolean): Promise<Pruned> {
    const answer = await this.session.ask('pull', 'POST', `_sampan/prune?dryRun=${dryRun}`, {
      headers: { 'content-length': 0 },
    })
    if (answer.statusCode === 404) {
      answer.resume()
      throw new BuildError(`the registry at ${this.address} is none of Sampan, and is pruned in its own way`)
    }
    await expectStatus(answer, [200], `the registry at ${this.address} was not pruned`)
    return JSON.parse(await text(answer)) as Pruned
  }

  close(): void {
    this.session.close()
    for (const client of this.clients.values()) client.close()
  }
}
