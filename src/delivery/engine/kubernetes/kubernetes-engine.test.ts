// The contract of engines on a Kubernetes in process, with no more rights than docs/delivery-rights.md names.
import { expect, test } from 'vitest'
import { deployerRules, rightsIn, rightText } from '../../../testing/deployer-role.ts'
import { pretendedKubernetes } from '../../../testing/kubernetes-worlds.ts'
import { testEngine } from '../contract/test-engine.ts'
import type { Part } from '../parts.ts'
import { rightsFor } from './rights.ts'

const used = new Set<string>()
testEngine('Kubernetes in process', () => pretendedKubernetes(right => used.add(right)), [
  'rooms',
  'weights',
  'policies',
])

/** What this server does not ask for, or these pods have no cause for. */
const unseen: Readonly<Record<string, RegExp>> = {
  'with server-side apply, kube-apiserver asks for it where there is nothing yet':
    /^create (deployments|statefulsets|poddisruptionbudgets|services|ingresses|cronjobs)\b/,
  'for exec and attach over WebSockets, Kubernetes asks for it from 1.35 on': /^create pods\/(exec|attach)$/,
  'a route of the gateway of Sampan is waited for': /^watch ingresses\.networking\.k8s\.io$/,
  'there is no gateway; routes of one have a test of their own':
    /httproutes\.gateway|endpointslices\.discovery|policies\.gateway\.sampan/,
  'a ReplicaSet whose pods were refused is told to try again': /^patch replicasets\.apps$/,
}

test('the contract makes use of every right that the document names', () => {
  const isSeen = (right: string): boolean =>
    used.has(right) || Object.values(unseen).some(pattern => pattern.test(right))
  expect(rightsIn(deployerRules()).filter(right => !isSeen(right))).toEqual([])
})

test.each(['workload', 'data', 'entrance', 'schedule', 'route'] as const)(
  'a delivery of a %s asks for no more than the document names',
  kind => {
    const named = new Set(rightsIn(deployerRules()))
    const wanted = [...rightsFor([partOf(kind)], 'ingress'), ...rightsFor([partOf(kind)], 'gateway')].flatMap(
      ({ verbs, group, plural, subresource }) =>
        verbs.map(verb => rightText(verb, group, subresource === undefined ? plural : `${plural}/${subresource}`)),
    )
    expect(wanted.filter(right => !named.has(right))).toEqual([])
  },
)

/** Rights depend on its kind alone, and on whether it has data. */
function partOf(kind: Part['kind'] | 'data'): Part {
  const part = kind === 'data' ? { kind: 'workload', storage: { path: '/data', size: '1Gi' } } : { kind }
  return { ...part, disruptionBudget: true, weights: [], access: {}, limit: {} } as unknown as Part
}
