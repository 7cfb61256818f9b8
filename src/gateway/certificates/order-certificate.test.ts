// One certificate from an authority in memory, with whoever works on it killed anywhere.
import fc from 'fast-check'
import { webcrypto, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import { beforeAll, describe, expect, test } from 'vitest'
import { Pkcs10CertificateRequest, X509CertificateGenerator } from '@peculiar/x509'
import type { AcmeClient, Authorization, Order } from '../acme/acme-client.ts'
import { newKey } from '../acme/certificate-request.ts'
import { AcmeProblem } from '../acme/problem.ts'
import { accountKey } from '../acme/signing.ts'
import { orderCertificate, type OrderOptions, type PendingOrder } from './order-certificate.ts'

const domain = '*.a.test'
const nowMs = Date.parse('2026-06-01T00:00:00Z')
const key = accountKey(newKey())
let signer: webcrypto.CryptoKeyPair
beforeAll(async () => {
  signer = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
})

class Killed extends Error {}

interface Fate {
  readonly killedAt?: number
  readonly verdict?: 'valid' | 'invalid'
  readonly token?: string
  readonly offers?: string
  readonly validTo?: number
}

/** An authority and what is kept beside it, which both outlive whoever works. */
function world() {
  const orders: { status: Order['status']; request?: Buffer; isProven: boolean }[] = []
  const proofs = new Set<string>()
  let pending: PendingOrder | undefined
  let steps = 0
  const accepted: string[] = []

  /** Between any two effects. */
  const step = <T>(fate: Fate, effect: () => T): T => {
    if (++steps === fate.killedAt) throw new Killed()
    const done = effect()
    if (++steps === fate.killedAt) throw new Killed()
    return done
  }

  function orderAt(url: string): Order {
    const index = Number(url)
    const order = orders[index]
    if (order === undefined)
      throw new AcmeProblem(404, { type: 'urn:ietf:params:acme:error:malformed', detail: 'gone' })
    return {
      url,
      status: order.status,
      authorizations: [url],
      finalize: url,
      ...(order.status === 'valid' && { certificate: url }),
    }
  }

  const acmeWith = (fate: Fate): AcmeClient => ({
    key,
    account: async () => 'account',
    newOrder: async () =>
      step(fate, () => {
        orders.push({ status: 'pending', isProven: false })
        return orderAt(String(orders.length - 1))
      }),
    order: async url => step(fate, () => orderAt(url)),
    authorization: async url =>
      step(fate, (): Authorization => {
        const { status } = orders[Number(url)]!
        return {
          url,
          status: status === 'pending' ? 'pending' : status === 'invalid' ? 'invalid' : 'valid',
          identifier: { value: 'a.test' },
          challenges: [
            {
              type: fate.offers ?? 'dns-01',
              url,
              token: fate.token ?? `token-${url}`,
              status: 'pending',
              ...(status === 'invalid' && { error: { type: 'urn:ietf:params:acme:error:dns', detail: 'no record' } }),
            },
          ],
        }
      }),
    accept: async ({ url, token }) =>
      step(fate, () => {
        accepted.push(token)
        orders[Number(url)]!.status = proofs.has(token) && fate.verdict !== 'invalid' ? 'ready' : 'invalid'
      }),
    finalize: async ({ url }, request) =>
      step(fate, () => {
        orders[Number(url)]!.request = request
        orders[Number(url)]!.status = 'processing'
        const seen = orderAt(url)
        orders[Number(url)]!.status = 'valid'
        return seen
      }),
    certificate: async url => {
      const request = new Pkcs10CertificateRequest(orders[Number(url)]!.request!)
      const certificate = await X509CertificateGenerator.create({
        subject: 'CN=x',
        issuer: 'CN=authority',
        notBefore: new Date(nowMs - 1_000),
        notAfter: new Date(fate.validTo ?? nowMs + 90 * 86_400_000),
        publicKey: request.publicKey,
        signingKey: signer.privateKey,
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
        extensions: [...request.extensions],
      })
      return step(fate, () => `${certificate.toString('pem')}\n`)
    },
  })

  const work = (fate: Fate): ReturnType<typeof orderCertificate> => {
    steps = 0
    const options: OrderOptions = {
      acme: acmeWith(fate),
      domain,
      places: {
        pending: async () => pending,
        keep: async kept => step(fate, () => void (pending = kept)),
        forget: async () => step(fate, () => void (pending = undefined)),
      },
      prover: {
        type: 'dns-01',
        open: async (host, { token, keyAuthorization }) =>
          step(fate, () => {
            expect([host, keyAuthorization]).toEqual(['a.test', `${token}.${key.thumbprint}`])
            proofs.add(token)
          }),
        // Whoever is killed closes nothing.
        close: async (_host, { token }) => {
          if (fate.killedAt === undefined) proofs.delete(token)
        },
      },
      sleep: async () => {},
      now: () => nowMs,
    }
    return orderCertificate(options)
  }
  return { work, orders, proofs, accepted, pending: () => pending, step: () => steps }
}

test('a certificate is got with one order, and nothing stays open', async () => {
  const { work, orders, proofs } = world()
  const { chain, key: certificateKey } = await work({})
  expect(new X509Certificate(chain).subjectAltName).toBe('DNS:*.a.test')
  expect(certificateKey).toContain('PRIVATE KEY')
  expect(orders).toHaveLength(1)
  expect(proofs.size).toBe(0)
})

test('whoever is killed anywhere is followed by one who gets it, with a second order only where the first was not known', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 24 }), async killedAt => {
      const { work, orders, pending } = world()
      const first = await work({ killedAt }).catch((error: unknown) => error)
      const wasKept = pending() !== undefined
      const second = await work({})
      expect(new X509Certificate(second.chain).subjectAltName).toBe('DNS:*.a.test')
      if (!(first instanceof Killed)) expect(first).toHaveProperty('chain')
      if (wasKept) expect(orders).toHaveLength(1)
      else expect(orders.length).toBeLessThanOrEqual(2)
    }),
    { numRuns: 100 },
  )
})

describe('is refused', () => {
  test('what the authority calls invalid, in its words; the next attempt is another order', async () => {
    const { work, orders, pending } = world()
    await expect(work({ verdict: 'invalid' })).rejects.toThrow('dns: no record')
    expect(pending()).toBeUndefined()
    await work({})
    expect(orders).toHaveLength(2)
  })

  test('a token that could be more than a token', async () => {
    const { work, accepted } = world()
    await expect(work({ token: 'a;shutdown sessions' })).rejects.toThrow('expected a token of letters')
    expect(accepted).toEqual([])
  })

  test('an authority that proves names in other ways', async () => {
    await expect(world().work({ offers: 'http-01' })).rejects.toThrow('does not prove a.test by dns-01, but by http-01')
  })

  test('a certificate that is over by the clock of this machine', async () => {
    const { work, pending } = world()
    await expect(work({ validTo: nowMs - 500 })).rejects.toThrow('is it right?')
    expect(pending()).toBeUndefined()
  })
})

test('an order that the authority does not know any more is forgotten', async () => {
  const { work, orders } = world()
  await work({ killedAt: 9 }).catch(() => {})
  expect(orders).toHaveLength(1)
  orders.length = 0
  await work({})
  expect(orders).toHaveLength(1)
})
