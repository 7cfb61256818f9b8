import { afterAll, beforeAll, expect, test } from 'vitest'
import { allKinds } from '../../api/kinds/all.ts'
import { validatingAdmissionPolicies } from '../../api/resources.ts'
import type { ControllerContext } from '../../control/controller.ts'
import { startTestServer, type TestServer } from '../../testing/in-process-server.ts'
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicy-status.ts'

const rule = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments', 'replicasets', 'deployments/scale'] }

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test('the status of a policy says what its expressions get wrong about the kinds it names', async () => {
  const { local: client } = server
  const reconcile = validatingAdmissionPolicyStatusController(allKinds).reconciler({ client } as Partial<ControllerContext> as ControllerContext)
  await client.create(validatingAdmissionPolicies, {
    metadata: { name: 'p' },
    spec: {
      matchConstraints: { resourceRules: [rule] },
      variables: [{ name: 'n', expression: 'object.spec.replicas' }],
      validations: [
        { expression: 'object.spec.template.spec.containers.all(c, c.name.startsWith("x") && c.resources.limits["cpu"] != "") && object.metadata.creationTimestamp < timestamp("2100-01-01T00:00:00Z") && object.metadata.labels.app == "x"' },
        { expression: 'object.spec.replicaz > 1', messageExpression: '"n is " + string(variables.n)' },
        { expression: 'object.spec.strategy.type == "Recreate"' },
      ],
    },
  })
  await client.informer(validatingAdmissionPolicies).synced
  expect(await reconcile('p')).toBe('done')
  const { status } = await client.get(validatingAdmissionPolicies, { name: 'p' })
  const wrong = (kind: string, column: number, source: string, field: string): string => `apps/v1, Kind=${kind}: ERROR: <input>:1:${column}: undefined field '${field}'\n | ${source}\n | ${'.'.repeat(column - 1)}^\n`
  expect(status).toMatchObject({
    observedGeneration: 1,
    typeChecking: {
      expressionWarnings: [
        { fieldRef: 'spec.validations[1].expression', warning: ['Deployment', 'ReplicaSet'].map(kind => wrong(kind, 12, 'object.spec.replicaz > 1', 'replicaz')).join('\n') },
        { fieldRef: 'spec.validations[2].expression', warning: wrong('ReplicaSet', 12, 'object.spec.strategy.type == "Recreate"', 'strategy') },
      ],
    },
  })
  const { metadata } = await client.get(validatingAdmissionPolicies, { name: 'p' })
  await reconcile('p')
  expect((await client.get(validatingAdmissionPolicies, { name: 'p' })).metadata.resourceVersion).toBe(metadata.resourceVersion)
})
