// The definitions of the Gateway API: the largest that people install, with nearly every means that schemas have.
// What their rules refuse is tested in gateway-rules.test.ts.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '../../src/api/resources.ts'
import { definitionsPath, established } from '../../src/testing/custom-resources.ts'
import { gatewayDefinitions } from '../../src/gateway/kinds/all.ts'
import { safeUpgradesBinding, safeUpgradesPolicy } from '../../src/testing/gateway-safe-upgrades.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'

const policiesPath = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const bindingsPath = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

const applied = (path: string, body: { readonly metadata: { readonly name?: string } }): Promise<Answer> =>
  server.call('PATCH', `${path}/${body.metadata.name}?fieldManager=test`, {
    body,
    headers: { 'Content-Type': 'application/apply-patch+yaml' },
  })

test.each([
  [policiesPath, safeUpgradesPolicy],
  [bindingsPath, safeUpgradesBinding],
])('%s: what keeps definitions from being replaced by older ones is taken', async (path, body) => {
  const answer = await applied(path, body)
  expect(answer.status, answer.text).toBe(201)
  expect(answer.headers.warning).toBeUndefined()
})

describe.each(gatewayDefinitions.map(definition => [definition.spec.names.kind, definition] as const))(
  'the definition of %s',
  (_, definition) => {
    const name = definition.metadata.name!

    test('is taken as it is', async () => {
      const created = await server.call('POST', definitionsPath, { body: definition })
      expect(created.status, created.text).toBe(201)
      expect(created.headers.warning).toBeUndefined()
      expect(created.json).toMatchObject(definition)
    })

    test('is established under its names, its schema structural and its group approved', async () => {
      const { status } = await established(server, name)
      expect(status.acceptedNames).toEqual(definition.spec.names)
      expect(status.storedVersions).toEqual(
        definition.spec.versions.filter(({ storage }) => storage).map(({ name }) => name),
      )
      expect(status.conditions?.map(condition => [condition.type, condition.status, condition.reason])).toEqual([
        ['NamesAccepted', 'True', 'NoConflicts'],
        ['Established', 'True', 'InitialNamesAccepted'],
        // Groups of Kubernetes' own are approved.
        ...(definition.spec.group.endsWith('.k8s.io')
          ? [['KubernetesAPIApprovalPolicyConformant', 'True', 'ApprovedAnnotation']]
          : []),
      ])
    })

    test('applied twice, it changes nothing the second time', async () => {
      const first = await applied(definitionsPath, definition)
      expect(first.status, first.text).toBe(200)
      const second = await applied(definitionsPath, definition)
      expect(second.status, second.text).toBe(200)
      expect(second.json.metadata.resourceVersion).toBe(first.json.metadata.resourceVersion)
      expect(second.json.metadata.generation).toBe(1)
    })

    test('is taken as what is applied first', async () => {
      await server.local.delete(customResourceDefinitions, { name })
      expect((await applied(definitionsPath, definition)).status).toBe(201)
      const { metadata } = await established(server, name)
      const again = await applied(definitionsPath, definition)
      expect(again.status, again.text).toBe(200)
      expect(again.json.metadata.resourceVersion).toBe(metadata.resourceVersion)
    })
  },
)

describe('the policy for upgrades', () => {
  const definition = gatewayDefinitions.find(({ spec }) => spec.names.kind === 'BackendTLSPolicy')
  const withAnnotations = (annotations: Record<string, string>): object => ({
    ...definition!,
    metadata: { ...definition!.metadata, annotations: { ...definition!.metadata.annotations, ...annotations } },
  })

  test.each([
    [{ 'gateway.networking.k8s.io/channel': 'experimental' }, 'Installing experimental CRDs on top of standard'],
    [{ 'gateway.networking.k8s.io/bundle-version': 'v1.4.1' }, 'Installing CRDs with version before v1.5.0'],
    [{ 'gateway.networking.k8s.io/bundle-version': 'v0.8.0' }, 'Installing CRDs with version before v1.5.0'],
  ])('refuses %j', async (annotations, message) => {
    const { status, json } = await applied(definitionsPath, withAnnotations(annotations) as typeof definition & object)
    expect({ status, json }).toMatchObject({ status: 422, json: { message: expect.stringContaining(message) } })
  })

  test('takes a candidate for a release', async () => {
    const answer = await applied(
      definitionsPath,
      withAnnotations({ 'gateway.networking.k8s.io/bundle-version': 'v1.4.0-rc.1' }) as typeof definition & object,
    )
    expect(answer.status, answer.text).toBe(200)
  })
})
