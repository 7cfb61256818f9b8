import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../api/generated/models.ts'
import { compareQuantities } from '../api/quantity.ts'
import { node } from '../testing/scheduling.ts'
import { claimNamed, volumeNamed } from '../testing/storage.ts'
import { matchingVolume, unsuitable, type MatchOptions } from './volume-match.ts'

const claim = claimNamed('data')
const of = (storage: string) => ({ capacity: { storage } })
const on = (name: string) => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] }],
    },
  },
})
const reserved = { claimRef: { namespace: 'n', name: 'data' } }
const deleted = (volume: PersistentVolume): PersistentVolume => ({
  ...volume,
  metadata: { ...volume.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
})

describe('the volume of a claim', () => {
  test.each<[string, PersistentVolumeClaim, PersistentVolume[], string | undefined, MatchOptions?]>([
    [
      'is the smallest that is large enough',
      claim,
      [volumeNamed('large', of('50Gi')), volumeNamed('fits', of('6Gi')), volumeNamed('small', of('4Gi'))],
      'fits',
    ],
    [
      'rather has no other access modes',
      claim,
      [volumeNamed('both', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }), volumeNamed('one', of('9Gi'))],
      'one',
    ],
    [
      'has all access modes',
      claimNamed('data', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }),
      [volumeNamed('one'), volumeNamed('both', { accessModes: ['ReadOnlyMany', 'ReadWriteOnce', 'ReadWriteMany'] })],
      'both',
    ],
    [
      'is of its class',
      claimNamed('data', { storageClassName: 'fast' }),
      [volumeNamed('plain'), volumeNamed('fast', { storageClassName: 'fast' })],
      'fast',
    ],
    [
      'is of its class, also by the old annotation',
      claimNamed('data', { storageClassName: undefined }, { 'volume.beta.kubernetes.io/storage-class': 'fast' }),
      [volumeNamed('plain'), volumeNamed('fast', { storageClassName: 'fast' })],
      'fast',
    ],
    [
      'is of its mode',
      claimNamed('data', { volumeMode: 'Block' }),
      [volumeNamed('files'), volumeNamed('block', { volumeMode: 'Block' })],
      'block',
    ],
    [
      'has the labels',
      claimNamed('data', { selector: { matchLabels: { name: 'b' } } }),
      [volumeNamed('a'), volumeNamed('b')],
      'b',
    ],
    ['is available', claim, [volumeNamed('released', {}, {}, 'Released')], undefined],
    ['is not about to go', claim, [deleted(volumeNamed('a'))], undefined],
    ["is nobody else's", claim, [volumeNamed('theirs', { claimRef: { namespace: 'n', name: 'other' } })], undefined],
    [
      'is rather the one set aside for it, whatever its class and size',
      claim,
      [volumeNamed('small'), volumeNamed('mine', { ...reserved, ...of('90Gi'), storageClassName: 'other' })],
      'mine',
    ],
    [
      'is not the one set aside for an earlier claim of the name',
      claim,
      [volumeNamed('mine', { claimRef: { ...reserved.claimRef, uid: 'earlier' } })],
      undefined,
    ],
    ['waits for a pod', claim, [volumeNamed('a')], undefined, { waits: true }],
    ['waits for a pod unless it was set aside', claim, [volumeNamed('mine', reserved)], 'mine', { waits: true }],
    [
      'is reached from the node',
      claim,
      [volumeNamed('far', on('b')), volumeNamed('near', { ...on('a'), ...of('9Gi') })],
      'near',
      { node: node('a') },
    ],
    [
      'is none when the one set aside is not reached',
      claim,
      [volumeNamed('mine', { ...reserved, ...on('b') }), volumeNamed('near')],
      undefined,
      { node: node('a') },
    ],
    ['is not taken', claim, [volumeNamed('a'), volumeNamed('b', of('9Gi'))], 'b', { taken: name => name === 'a' }],
  ])('%s', (_, given, volumes, expected, options) => {
    expect(matchingVolume(given, volumes, options)?.metadata.name).toBe(expected)
    expect(matchingVolume(given, volumes.toReversed(), options)?.metadata.name).toBe(expected)
  })

  test('is never too small, and no smaller one would do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        (sizes, wanted) => {
          const found = matchingVolume(
            claimNamed('data', { resources: { requests: { storage: `${wanted}Gi` } } }),
            sizes.map((size, index) => volumeNamed(`v${index}`, of(`${size}Gi`))),
          )
          const best = Math.min(...sizes.filter(size => size >= wanted))
          expect(found === undefined ? Infinity : best).toBe(best)
          if (found !== undefined) expect(compareQuantities(found.spec.capacity?.['storage'], `${best}Gi`)).toBe(0)
        },
      ),
    )
  })
})

test.each<[string, PersistentVolume, string | undefined]>([
  ['small', volumeNamed('v', of('1Gi')), 'requested PV is too small'],
  ['of another class', volumeNamed('v', { storageClassName: 'fast' }), 'storageClassName does not match'],
  ['a block device', volumeNamed('v', { volumeMode: 'Block' }), 'incompatible volumeMode'],
  ['read-only', volumeNamed('v', { accessModes: ['ReadOnlyMany'] }), 'incompatible accessMode'],
  ['as it should be', volumeNamed('v'), undefined],
])('a volume that a claim names and that is %s', (_, volume, expected) =>
  expect(unsuitable(volume, claim)).toBe(expected),
)
