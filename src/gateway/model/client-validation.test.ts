// What Gateways ask clients for: where, and what becomes of places at which they do not agree.
import { beforeAll, describe, expect, test } from 'vitest'
import type { ClientValidation, Gateway, ObjectReference } from '../../api/gateway-api/types.ts'
import { createAuthority } from '../../server/auth/certificate-authority.ts'
import { gateway, grant, httpRoute, listener, observedWith, parent, toService } from '../../testing/gateway-objects.ts'
import type { Front } from './gateway-addresses.ts'
import { gatewayModel, type MadeModel } from './gateway-model.ts'
import type { ClientCheck } from './model.ts'
import { withOwnCertificates } from './secure-front.ts'
import { wantedStatuses } from './statuses.ts'

const front: Front = {
  address: '127.0.0.1',
  port: 80,
  securePort: 443,
  ownAddresses: ['127.7.0.1', '127.7.0.2', '127.7.0.3'],
}
const pems = new Map<string, string>()
beforeAll(async () => {
  for (const name of ['one', 'other'])
    pems.set(name, (await createAuthority(name, 1, Date.parse('2026-01-01'))).certificate)
})

const reference = (name: string, more: Partial<ObjectReference> = {}): ObjectReference => ({
  group: '',
  kind: 'ConfigMap',
  name,
  ...more,
})
const trusting = (...references: readonly ObjectReference[]): ClientValidation => ({
  validation: { caCertificateRefs: [...references], mode: 'AllowValidOnly' },
})
const secured = (name: string, port = 443): ReturnType<typeof listener> =>
  listener({
    name,
    port,
    protocol: 'HTTPS',
    tls: { mode: 'Terminate', options: { 'gateway.sampan.dev/own-authority': 'true' } },
  })

const asking = (
  name: string,
  frontend: NonNullable<Gateway['spec']['tls']>['frontend'] | undefined,
  more: Partial<Gateway['spec']> = {},
  listeners = [secured('https')],
): Gateway => gateway({ name, created: `2026-01-0${name.length}T00:00:00Z` }, listeners, { ...more, tls: { frontend } })

const made = (gateways: readonly Gateway[], more: Parameters<typeof observedWith>[0] = {}): MadeModel =>
  gatewayModel(
    observedWith(
      {
        gateways,
        httpRoutes: gateways.map(({ metadata: { name } }) =>
          httpRoute({ name, parents: [parent(name)] }, [{ backendRefs: [toService('web')] }]),
        ),
        configuration: (_namespace, name) => (pems.has(name) ? { 'ca.crt': pems.get(name)! } : undefined),
        ...more,
      },
      ['shop/web'],
    ),
    front,
  )

/** By place: what is asked of clients there. */
const asked = ({ model }: MadeModel): Record<string, ClientCheck | undefined> =>
  Object.fromEntries(
    withOwnCertificates(model, new Map([['localhost', 'pem']])).entrances.map(({ address, port, tls }) => [
      `${address}:${port}`,
      tls?.clients,
    ]),
  )
const valid = (...names: readonly string[]): ClientCheck => ({
  authorities: names.map(name => pems.get(name)).join(''),
  isOptional: false,
})

const conditionsOf = (result: MadeModel, name: string): readonly string[] =>
  wantedStatuses(result, [])
    .find(({ object }) => object.kind === 'Gateway' && object.metadata.name === name)!
    .listeners!.flatMap(({ conditions }) => conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`))

describe('certificates of clients', () => {
  test('are asked for at each port as it is said, of that port or of all', () => {
    const frontend = {
      default: trusting(reference('one')),
      perPort: [
        { port: 8443, tls: trusting(reference('other')) },
        { port: 9443, tls: {} },
      ],
    }
    const listeners = [443, 8443, 9443].map(port => secured(`at-${port}`, port))
    expect(asked(made([asking('a', frontend, {}, [...listeners, listener()])]))).toEqual({
      '127.0.0.1:80': undefined,
      '127.7.0.1:80': undefined,
      '127.7.0.1:443': valid('one'),
      '127.7.0.1:8443': valid('other'),
      '127.0.0.1:8443': valid('other'),
      '127.7.0.1:9443': undefined,
      '127.0.0.1:9443': undefined,
    })
  })

  test('are asked for by connections that only TLS ends for, too', () => {
    const tls = { ...secured('tls', 5432), protocol: 'TLS' }
    expect(asked(made([asking('a', { default: trusting(reference('one')) }, {}, [tls])]))).toMatchObject({
      '127.7.0.1:5432': valid('one'),
    })
  })

  test('are never asked for where others come in without, and nobody comes in there by their routes', () => {
    const strict = { default: trusting(reference('one')) }
    const result = made([asking('a', undefined), asking('bb', strict)])
    expect(asked(result)).toEqual({
      '127.0.0.1:80': undefined,
      '127.0.0.1:443': undefined,
      '127.7.0.1:443': undefined,
      '127.7.0.2:443': valid('one'),
    })
    const atFront = result.model.entrances.find(({ address, port }) => address === '127.0.0.1' && port === 443)
    expect(atFront?.hosts.flatMap(({ rules }) => rules.map(({ source }) => source))).toEqual(['HTTPRoute shop/a 0'])
    expect(conditionsOf(result, 'bb')).toContain('Programmed=True Programmed')
  })

  test('are a port that is not to be had, where an older Gateway asks for others at the same', () => {
    const at = { addresses: [{ type: 'IPAddress', value: '127.9.9.9' }] }
    const result = made([
      asking('a', { default: trusting(reference('one')) }, at),
      asking('bb', { default: trusting(reference('other')) }, at),
      asking('ccc', { default: trusting(reference('one')) }, at),
    ])
    expect(asked(result)).toEqual({ '127.0.0.1:80': undefined, '127.9.9.9:443': valid('one') })
    expect(conditionsOf(result, 'bb')).toEqual(
      expect.arrayContaining(['Accepted=False PortUnavailable', 'Programmed=False PortUnavailable']),
    )
    const entrance = result.model.entrances.find(({ address }) => address === '127.9.9.9')!
    expect(entrance.hosts.flatMap(({ rules }) => rules.map(({ source }) => source))).not.toContain(
      'HTTPRoute shop/bb 0',
    )
  })

  test('are signed by those authorities that are there, which is told', () => {
    const result = made([asking('a', { default: trusting(reference('nothing'), reference('one')) })])
    expect(asked(result)).toMatchObject({ '127.7.0.1:443': valid('one') })
    expect(conditionsOf(result, 'a')).toEqual(
      expect.arrayContaining([
        'Accepted=True Accepted',
        'Programmed=True Programmed',
        'ResolvedRefs=False InvalidCACertificateRef',
      ]),
    )
  })

  test.each([
    ['nothing', reference('nothing'), 'InvalidCACertificateRef'],
    ['a service', reference('one', { kind: 'Service' }), 'InvalidCACertificateKind'],
    ['one of another namespace', reference('one', { namespace: 'far' }), 'RefNotPermitted'],
  ])('%s as the only authority lets nobody in', (_what, broken, reason) => {
    const result = made([asking('a', { default: trusting(broken) })])
    expect(asked(result)).not.toHaveProperty('127.7.0.1:443')
    expect(conditionsOf(result, 'a')).toEqual(
      expect.arrayContaining([
        'Accepted=False NoValidCACertificate',
        `ResolvedRefs=False ${reason}`,
        'Programmed=False Invalid',
      ]),
    )
  })

  test('are signed by an authority of another namespace that grants it', () => {
    const granting = grant(
      { name: 'authorities', namespace: 'far' },
      { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop' },
      { group: '', kind: 'ConfigMap' },
    )
    const result = made([asking('a', { default: trusting(reference('one', { namespace: 'far' })) })], {
      referenceGrants: [granting],
    })
    expect(asked(result)).toMatchObject({ '127.7.0.1:443': valid('one') })
  })
})
