// Encryption at rest: a store over another one that keeps the values of some keys encrypted with
// AES-256-GCM. A value carries the id of its key, so keys can be replaced while old values stay readable;
// values from before encryption are read as they are. The store key is authenticated with the value, so
// that no value can be put in another's place.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import {
  StoreFailure,
  type Entry,
  type History,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreEvent,
  type StoreWatch,
  type WriteResult,
} from './store.ts'

/** 32 bytes under an id of letters and digits. */
export interface EncryptionKey {
  readonly id: string
  readonly secret: Uint8Array
}

export interface EncryptionOptions {
  /** The first one encrypts; all of them decrypt. */
  readonly keys: readonly EncryptionKey[]
  /** Which store keys are encrypted: those that start with one of these. */
  readonly prefixes: readonly string[]
  /** Where servers share the store: reads the keys anew when a value is met whose key is not known. */
  readonly readKeys?: () => Promise<readonly EncryptionKey[]>
}

class UnknownKey extends StoreFailure {}

const cipher = 'aes-256-gcm'
const marker = Buffer.from('sampan:aesgcm:1:')
const nonceBytes = 12
const tagBytes = 16

export class EncryptedStore implements Store {
  private readonly inner: Store
  private readonly prefixes: readonly string[]
  private readonly keys = new Map<string, Uint8Array>()
  private newest: EncryptionKey
  private readonly readKeys: EncryptionOptions['readKeys']
  /** What values that this process writes were encrypted from: watchers get the writer's own bytes back. */
  private readonly plaintexts = new WeakMap<Uint8Array, Uint8Array>()

  constructor(inner: Store, { keys, prefixes, readKeys }: EncryptionOptions) {
    const [newest] = keys
    if (newest === undefined) throw new StoreFailure('expected at least one encryption key, found none')
    this.inner = inner
    this.prefixes = prefixes
    this.newest = newest
    this.readKeys = readKeys
    this.useKeys(keys)
  }

  /** From now on the first one encrypts; those from before still decrypt. */
  useKeys(keys: readonly EncryptionKey[]): void {
    this.newest = keys[0] ?? this.newest
    for (const { id, secret } of keys) this.keys.set(id, secret)
  }

  async put(key: string, value: Uint8Array, expectedRevision: number): Promise<WriteResult> {
    const result = await this.inner.put(key, this.isSecret(key) ? this.encrypt(key, value) : value, expectedRevision)
    return this.withKeys(() => this.opened(result))
  }

  async delete(key: string, expectedRevision: number): Promise<WriteResult> {
    const result = await this.inner.delete(key, expectedRevision)
    return this.withKeys(() => this.opened(result))
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = await this.inner.get(key)
    return entry && this.withKeys(() => this.open(entry))
  }

  async range(prefix: string, options?: RangeOptions): Promise<RangeResult> {
    const result = await this.inner.range(prefix, options)
    return { ...result, entries: await this.withKeys(() => result.entries.map(entry => this.open(entry))) }
  }

  /** Whoever shares keys has to know of a new one before events come that need it. */
  watch(prefix: string, afterRevision: number, listener: (events: readonly StoreEvent[]) => void): Promise<StoreWatch> {
    return this.inner.watch(prefix, afterRevision, events => listener(events.map(event => this.openEvent(event))))
  }

  async history(prefix: string, throughRevision: number, limit: number): Promise<History> {
    const { afterRevision, events } = await this.inner.history(prefix, throughRevision, limit)
    return {
      afterRevision,
      events: await this.withKeys(() =>
        events.map(event => ({ ...this.openEvent(event), previous: event.previous && this.open(event.previous) })),
      ),
    }
  }

  /** Writes again what is not encrypted with the newest key. Meant for the start, before there are other writers. @returns how many values */
  async encryptAll(): Promise<number> {
    const start = Buffer.from(`${marker.toString()}${this.newest.id}:`)
    let rewritten = 0
    for (const prefix of this.prefixes) {
      const { entries } = await this.inner.range(prefix)
      const old = entries.filter(({ value }) => !asBuffer(value).subarray(0, start.length).equals(start))
      const opened = await this.withKeys(() => old.map(entry => this.open(entry)))
      await Promise.all(opened.map(({ key, value, revision }) => this.put(key, value, revision)))
      rewritten += old.length
    }
    return rewritten
  }

  compact(revision: number): Promise<void> {
    return this.inner.compact(revision)
  }

  currentRevision(): Promise<number> {
    return this.inner.currentRevision()
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  /** What was read may be newer than the keys that are known here. */
  private async withKeys<T>(open: () => T): Promise<T> {
    try {
      return open()
    } catch (error) {
      if (!(error instanceof UnknownKey) || this.readKeys === undefined) throw error
      this.useKeys(await this.readKeys())
      return open()
    }
  }

  private isSecret(key: string): boolean {
    return this.prefixes.some(prefix => key.startsWith(prefix))
  }

  private encrypt(key: string, value: Uint8Array): Uint8Array {
    const nonce = randomBytes(nonceBytes)
    const sealing = createCipheriv(cipher, this.newest.secret, nonce).setAAD(Buffer.from(key))
    const sealed = Buffer.concat([
      marker,
      Buffer.from(`${this.newest.id}:`),
      nonce,
      sealing.update(value),
      sealing.final(),
      sealing.getAuthTag(),
    ])
    this.plaintexts.set(sealed, value)
    return sealed
  }

  private open(entry: Entry): Entry {
    const value = asBuffer(entry.value)
    if (!value.subarray(0, marker.length).equals(marker) || !this.isSecret(entry.key)) return entry
    return { ...entry, value: this.plaintexts.get(entry.value) ?? this.decrypt(entry.key, value) }
  }

  private decrypt(key: string, value: Buffer): Uint8Array {
    const idEnd = value.indexOf(':', marker.length)
    const id = value.subarray(marker.length, idEnd).toString()
    const secret = this.keys.get(id)
    if (secret === undefined)
      throw new UnknownKey(
        `${key} is encrypted with the key "${id}", which is not among the encryption keys; put that key back`,
      )
    const nonce = value.subarray(idEnd + 1, idEnd + 1 + nonceBytes)
    const opening = createDecipheriv(cipher, secret, nonce)
      .setAAD(Buffer.from(key))
      .setAuthTag(value.subarray(-tagBytes))
    try {
      return Buffer.concat([opening.update(value.subarray(idEnd + 1 + nonceBytes, -tagBytes)), opening.final()])
    } catch {
      throw new StoreFailure(
        `${key} cannot be decrypted with the key "${id}": the value or the key was changed; restore them from a backup`,
      )
    }
  }

  private openEvent(event: StoreEvent): StoreEvent {
    if (event.type === 'delete') return event
    const entry = this.open(event.entry)
    return entry === event.entry ? event : { ...event, entry }
  }

  private opened(result: WriteResult): WriteResult {
    return result.ok || result.current === undefined ? result : { ok: false, current: this.open(result.current) }
  }
}

const asBuffer = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength)
