import { expect, test } from 'vitest'
import type { EndpointSlice, Pod } from '../api/generated/models.ts'
import { EndedPods } from './ended-pods.ts'

const pod = (name: string, ...containerIds: string[]): Pod =>
  ({
    metadata: { namespace: 'shop', name, uid: `uid-${name}` },
    status: { containerStatuses: containerIds.map(containerID => ({ containerID })) },
  }) as unknown as Pod

const slice = (...names: string[]): EndpointSlice =>
  ({
    endpoints: names.map(name => ({
      addresses: [name],
      targetRef: { kind: 'Pod', namespace: 'shop', name, uid: `uid-${name}` },
    })),
  }) as unknown as EndpointSlice

const addresses = (slices: readonly EndpointSlice[]): string[] =>
  slices.flatMap(({ endpoints = [] }) => endpoints.flatMap(({ addresses: all }) => all))

test('an endpoint counts again when other containers run in its pod', () => {
  const now = new Map([
    ['web', pod('web', 'old')],
    ['other', pod('other', 'lives')],
  ])
  const ended = new EndedPods([now.get('web')!], ({ name }) => now.get(name))
  expect(addresses(ended.leftOutOf([slice('web', 'other')]))).toEqual(['other'])
  now.set('web', pod('web'))
  expect(addresses(ended.leftOutOf([slice('web')]))).toEqual([])
  now.set('web', pod('web', 'new'))
  expect(addresses(ended.leftOutOf([slice('web')]))).toEqual(['web'])
  // Once is enough.
  now.set('web', pod('web', 'old'))
  expect(ended.has(now.get('web')!)).toBe(false)
})

test('slices are handed on as they are when nothing ended', () => {
  const slices = [slice('web')]
  expect(new EndedPods([], () => undefined).leftOutOf(slices)).toBe(slices)
})
