// What is known of a gateway to whoever may read some of its cluster.
import { expect, test } from 'vitest'
import { forbidden, notFound } from '../api/api-error.ts'
import { gatewayClasses, gateways, httpRoutes } from '../api/gateway-api/resources.ts'
import type { Resource } from '../api/resource.ts'
import type { Client } from '../client/client.ts'
import { routeFacts } from '../gateway/route-facts.ts'
import { gateway, gatewayClass, httpRoute, listener, parent, toService } from '../testing/gateway-objects.ts'
import { knownGateway } from './known-gateway.ts'

const objects = new Map<Resource, readonly object[]>([
  [gatewayClasses as Resource, [gatewayClass]],
  [
    gateways as Resource,
    [gateway({ name: 'one' }, [listener()], { addresses: [{ type: 'IPAddress', value: '127.0.0.1' }] })],
  ],
  [
    httpRoutes as Resource,
    [httpRoute({ name: 'web', parents: [parent('one')] }, [{ backendRefs: [toService('web')] }])],
  ],
])

/** @param failures by plural */
const client = (failures: Readonly<Record<string, (resource: Resource) => Error>>): Pick<Client, 'list'> => ({
  list: async resource => {
    const failure = failures[resource.plural]
    if (failure !== undefined) throw failure(resource as Resource)
    return { kind: '', apiVersion: '', metadata: {}, items: objects.get(resource as Resource) ?? [] } as never
  },
})

const isForbidden = (resource: Resource): Error => forbidden(resource, '', 'not yours')

test('policies that are not to be read leave routes, and a note', async () => {
  const known = await knownGateway(client({ accesspolicies: isForbidden }))
  expect(routeFacts(known)).toMatchObject([{ owner: 'HTTPRoute shop/web', by: ['Gateway shop/one'] }])
  expect(known.notes).toEqual([
    expect.stringMatching(/^accesspolicies could not be read, so that nothing is told of them: .*not yours/) as string,
  ])
})

test('kinds that the cluster does not have are no news', async () => {
  const known = await knownGateway(client({ accesspolicies: resource => notFound(resource, '') }))
  expect(known.notes).toEqual([])
})

test('without routes nothing can be said', async () => {
  await expect(knownGateway(client({ httproutes: isForbidden }))).rejects.toThrow('not yours')
})
