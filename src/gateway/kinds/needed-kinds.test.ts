import { describe, expect, test } from 'vitest'
import type { CustomResourceDefinition } from '../../api/generated/models.ts'
import { stableHash } from '../../lib/stable-hash.ts'
import { policyGroup } from '../../api/gateway-names.ts'
import { gatewayDefinitions } from './all.ts'
import { bundleVersion, revision, revisionAnnotation } from './bundle.ts'
import { kindNames, neededKinds } from './needed-kinds.ts'

const annotation = (name: string): string => `gateway.networking.k8s.io/${name}`
const withAnnotations = (annotations: Record<string, string>): CustomResourceDefinition =>
  ({ ...gatewayDefinitions[0], metadata: { annotations } }) as unknown as CustomResourceDefinition

/** What becomes of definitions that a cluster has with these annotations. */
function verdictOn(annotations: Record<string, string>): string {
  const { needed, foreign } = neededKinds(name =>
    withAnnotations(name.endsWith(`.${policyGroup}`) ? { [revisionAnnotation]: revision } : annotations),
  )
  if (foreign.length > 0) return 'stays as somebody else made it'
  return needed.length > 0 ? 'is written' : 'is there'
}

test('a cluster without any gets them all', () => {
  expect(kindNames.toSorted()).toEqual(gatewayDefinitions.map(({ metadata }) => metadata.name).toSorted())
  expect(neededKinds(() => undefined)).toEqual({ needed: kindNames, foreign: [] })
})

test('what was written is not written again', () => {
  const written = new Map(gatewayDefinitions.map(definition => [definition.metadata.name, definition]))
  const find = (name: string): CustomResourceDefinition => written.get(name) as unknown as CustomResourceDefinition
  expect(neededKinds(find)).toEqual({ needed: [], foreign: [] })
})

test('who changes a definition raises the revision, so that clusters get it', () => {
  // When it fails: raise `revision` in bundle.ts, and write both down here.
  expect([revision, stableHash(gatewayDefinitions)]).toEqual(['5', '6b5df8d445'])
})

describe('a definition that is there', () => {
  const theirs = 'stays as somebody else made it'
  test.each([
    ['of this release, from its own makers', { version: bundleVersion, channel: 'standard' }, 'is there'],
    [
      'of this release, from another Sampan',
      { version: bundleVersion, channel: 'standard', mark: 'other' },
      'is written',
    ],
    ['of an older release', { version: 'v1.5.1', channel: 'standard' }, 'is written'],
    ['of an old one with a greater patch', { version: 'v1.5.10', channel: 'standard' }, 'is written'],
    ['of a candidate for this release', { version: `${bundleVersion}-rc.1`, channel: 'standard' }, 'is written'],
    ['of a newer release', { version: 'v1.10.0', channel: 'standard' }, theirs],
    ['of a candidate for a newer release', { version: 'v1.7.0-rc.1', channel: 'standard' }, theirs],
    ['of a newer release, over one of ours', { version: 'v1.7.0', channel: 'standard', mark: 'other' }, theirs],
    ['of a developer', { version: 'v0.0.0-dev', channel: 'standard' }, theirs],
    ['of a month', { version: 'monthly-2026.05', channel: 'standard' }, theirs],
    ['of the experimental channel', { version: 'v1.5.1', channel: 'experimental' }, theirs],
    ['that says nothing of itself', {}, theirs],
  ] as [string, { version?: string; channel?: string; mark?: string }, string][])(
    '%s: %j: %s',
    (_, { version, channel, mark }, verdict) => {
      const annotations = {
        ...(version !== undefined && { [annotation('bundle-version')]: version }),
        ...(channel !== undefined && { [annotation('channel')]: channel }),
        ...(mark !== undefined && { [revisionAnnotation]: mark }),
      }
      expect(verdictOn(annotations)).toBe(verdict)
    },
  )
})
