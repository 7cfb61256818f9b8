// An API server that is away for a short time, and what is asked again of it.
import { describe, expect, test } from 'vitest'
import { conflict, errorByCode, forbidden, serviceUnavailable } from '../../../api/api-error.ts'
import type { Secret } from '../../../api/generated/models.ts'
import { FakeClock } from '../../../testing/fake-clock.ts'
import { LedgerConflict } from '../ledger.ts'
import type { Entrance } from '../parts.ts'
import { KubernetesEngine, type EngineClient } from './kubernetes-engine.ts'
import { patiently } from './patiently.ts'
import { SecretLedger } from './secret-ledger.ts'

const away = (): Error => serviceUnavailable('the API server at https://k cannot be reached: connect ECONNREFUSED')
const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

class Waiting {
  readonly clock = new FakeClock()
  readonly told: string[] = []
  readonly end = new AbortController()
  readonly patience = { progress: (text: string) => void this.told.push(text), signal: this.end.signal }

  /** Drives the clock meanwhile. @returns the result, or the message of what it failed with, and the seconds it took */
  async until(work: Promise<unknown>): Promise<[unknown, number]> {
    const startMs = this.clock.now()
    let over = false
    const ended = work.catch((error: Error) => error.message).finally(() => (over = true))
    while (!over) await this.clock.advance(500)
    return [await ended, Math.floor((this.clock.now() - startMs) / 1000)]
  }
}

/** Fails with these, one after the other, and answers then. */
const failing = (...errors: readonly Error[]): (() => Promise<string>) => {
  const left = [...errors]
  return async () => {
    const error = left.shift()
    if (error !== undefined) throw error
    return 'done'
  }
}

describe('asking again', () => {
  test.each([
    ['a server that refuses connections', away()],
    ['a connection that breaks', reset()],
    ['a server that starts', errorByCode(503, 'starting')],
    ['a server with too much to do', errorByCode(429, 'too many')],
  ])('%s', async (_what, error) => {
    const waiting = new Waiting()
    expect((await waiting.until(patiently(waiting.clock, waiting.patience, failing(error, error))))[0]).toBe('done')
    expect(waiting.told[0]).toBe(`${error.message}; asking again for 30 s`)
    expect(waiting.told).toHaveLength(2)
  })

  test('comes when the server says', async () => {
    const waiting = new Waiting()
    const ask = failing(errorByCode(429, 'too many', 7))
    const [result, seconds] = await waiting.until(patiently(waiting.clock, waiting.patience, ask))
    expect([result, seconds]).toEqual(['done', 7])
  })

  test('ends after half a minute', async () => {
    const waiting = new Waiting()
    const [result, seconds] = await waiting.until(
      patiently(waiting.clock, waiting.patience, async () => {
        throw away()
      }),
    )
    expect(result).toContain('cannot be reached')
    expect(seconds).toBeGreaterThanOrEqual(29)
    expect(seconds).toBeLessThanOrEqual(31)
  })

  test('is nothing for a refusal', async () => {
    const waiting = new Waiting()
    const refusal = forbidden({ group: '', plural: 'services' }, 'web', 'no')
    expect(await waiting.until(patiently(waiting.clock, waiting.patience, failing(refusal)))).toEqual([
      refusal.message,
      0,
    ])
    expect(waiting.told).toEqual([])
  })

  test('ends at once when nobody waits any more', async () => {
    const waiting = new Waiting()
    const ask = async (): Promise<never> => {
      waiting.end.abort(new Error('interrupted by Ctrl-C'))
      throw away()
    }
    expect(await waiting.until(patiently(waiting.clock, waiting.patience, ask))).toEqual(['interrupted by Ctrl-C', 0])
  })
})

const entrance: Entrance = { kind: 'entrance', name: 'web', service: 'web', leadsTo: 'serving', ports: [] }
const place = { environment: 'test', namespace: 'test', service: 'web' }

test('a part is put, and removed, when the server is there again', async () => {
  const waiting = new Waiting()
  const [patch, remove] = [failing(away(), reset()), failing(away())]
  const client = { patch, delete: remove, close: () => {} } as unknown as EngineClient
  const engine = new KubernetesEngine({ client, name: 'k', clock: waiting.clock })
  expect(await waiting.until(engine.put(place, entrance, waiting.patience))).toEqual([
    { state: 'done' },
    expect.any(Number),
  ])
  expect(await waiting.until(engine.remove(place, entrance, waiting.patience))).toEqual([undefined, expect.any(Number)])
  expect(waiting.told).toHaveLength(3)
})

describe('a record', () => {
  const entry = { revision: 1, state: 'pending', content: { a: 1 }, mark: '7' }
  const subject = { group: '', plural: 'secrets' }

  /** @param arrives whether the first request, which nobody answers, is carried out */
  function ledgerThat(arrives: boolean, waiting: Waiting): SecretLedger {
    let stored: Secret = { metadata: { resourceVersion: '7' }, data: {} } as unknown as Secret
    let asked = 0
    const update = async (_resource: unknown, secret: Secret): Promise<Secret> => {
      const isFirst = asked++ === 0
      if (isFirst && !arrives) throw away()
      if (secret.metadata.resourceVersion !== stored.metadata.resourceVersion) throw conflict(subject, 'release')
      stored = { ...secret, metadata: { ...secret.metadata, resourceVersion: '8' } }
      if (isFirst) throw reset()
      return stored
    }
    const client = { update, get: async () => stored } as unknown as ConstructorParameters<typeof SecretLedger>[0]
    return new SecretLedger(client, waiting.clock)
  }

  test.each([true, false])('is written once, whether the first request arrived (%s) or not', async arrives => {
    const waiting = new Waiting()
    const written = ledgerThat(arrives, waiting).write(place, entry, waiting.patience)
    expect((await waiting.until(written))[0]).toEqual({ ...entry, mark: '8' })
  })

  test('that somebody else wrote meanwhile is not written over', async () => {
    const waiting = new Waiting()
    const ledger = ledgerThat(false, waiting)
    await waiting.until(ledger.write(place, { ...entry, content: 'another' }, waiting.patience))
    await expect(ledger.write(place, entry, waiting.patience)).rejects.toThrow(LedgerConflict)
  })
})
