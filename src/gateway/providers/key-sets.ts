// The keys by which providers sign their tokens, fetched from where they say, again and again as they change. What was found
// last stays on the disk, so that nobody is refused after a start, and while a provider is away.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jsonIn } from '../../host/bounded-request.ts'
import { BackOff } from '../../lib/back-off.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorText } from '../../lib/error-text.ts'
import { hashOf } from '../model/backends.ts'
import type { FetchedKeys, KeySource } from './key-source.ts'
import type { AskProvider } from './provider-access.ts'

export interface KeySetsOptions {
  /** Of the files, which are public keys. */
  readonly directory: string
  readonly ask: AskProvider
  readonly clock: Clock
  /** Something else is known by now. */
  readonly changed: () => void
}

interface Followed {
  readonly source: KeySource
  text?: string
  problem?: string
  timer?: Timer
}

/** A provider shows a new key for that long before it signs with it, or its first tokens are refused. */
const refreshMs = 300_000
const firstRetryMs = 5_000

export class KeySets {
  private readonly options: KeySetsOptions
  private readonly followed = new Map<string, Followed>()
  private asked = new Set<string>()
  private readonly retries = new BackOff<string>({ initialMs: firstRetryMs, maximumMs: refreshMs })

  constructor(options: KeySetsOptions) {
    this.options = options
  }

  /** What is known by now; neither text nor problem: nothing yet. */
  of(source: KeySource): FetchedKeys {
    const id = idOf(source)
    this.asked.add(id)
    const { text, problem } = this.followed.get(id) ?? this.follow(id, source)
    return { ...(text !== undefined && { text }), ...(problem !== undefined && { problem }) }
  }

  /** Those that nobody asked for since the last time are followed no longer. */
  sweep(): void {
    for (const [id, { timer }] of this.followed) {
      if (this.asked.has(id)) continue
      timer?.cancel()
      this.followed.delete(id)
      rmSync(this.fileOf(id), { force: true })
    }
    this.asked = new Set()
  }

  stop(): void {
    for (const { timer } of this.followed.values()) timer?.cancel()
    this.followed.clear()
  }

  private follow(id: string, source: KeySource): Followed {
    const text = read(this.fileOf(id))
    const followed: Followed = { source, ...(text !== undefined && { text }) }
    this.followed.set(id, followed)
    void this.fetch(id, followed)
    return followed
  }

  private async fetch(id: string, followed: Followed): Promise<void> {
    const before = JSON.stringify([followed.text, followed.problem])
    let againMs = refreshMs
    try {
      followed.text = await this.fetched(followed.source)
      delete followed.problem
      this.retries.forget(id)
      this.keep(id, followed.text)
    } catch (error) {
      followed.problem = errorText(error)
      againMs = this.retries.next(id, this.options.clock.now())
    }
    if (this.followed.get(id) !== followed) return
    followed.timer = this.options.clock.after(againMs, () => void this.fetch(id, followed))
    if (JSON.stringify([followed.text, followed.problem]) !== before) this.options.changed()
  }

  /** @throws Error */
  private async fetched({ issuer, uri, authority }: KeySource): Promise<string> {
    const found: { keys?: unknown } = await this.json(uri ?? (await this.keysOf(issuer, authority)), authority)
    const { keys } = found
    if (!Array.isArray(keys)) throw new Error(`expected a list of keys at ${uri ?? `the jwks_uri of ${issuer}`}`)
    return JSON.stringify(found)
  }

  /** Source: OpenID Connect Discovery 1.0, 4. */
  private async keysOf(issuer: string, authority: string | undefined): Promise<string> {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const about: { issuer?: unknown; jwks_uri?: unknown } = await this.json(url, authority)
    if (about.issuer !== issuer)
      throw new Error(`expected the issuer ${issuer} at ${url}, found ${String(about.issuer)}`)
    if (typeof about.jwks_uri !== 'string') throw new Error(`expected jwks_uri at ${url}`)
    return about.jwks_uri
  }

  private async json(url: string, authority: string | undefined): Promise<object> {
    return jsonIn(url, await this.options.ask(url, authority === undefined ? {} : { authority }))
  }

  private keep(id: string, text: string): void {
    const file = this.fileOf(id)
    if (read(file) === text) return
    mkdirSync(this.options.directory, { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }

  private fileOf(id: string): string {
    return join(this.options.directory, `${id}.json`)
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** Stays the same for the same keys, and is nobody else's. */
const idOf = ({ issuer, uri = '', authority = '' }: KeySource): string => hashOf({ issuer, uri, authority })
