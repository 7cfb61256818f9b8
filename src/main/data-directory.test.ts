import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  clusterFacts,
  knownFacts,
  nodeNameOf,
  openDataDirectory,
  placesOf,
  type ClusterPlaces,
} from './data-directory.ts'

let directory: string
let places: ClusterPlaces
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-data-'))
  places = placesOf(`test-${process.pid}`, join(directory, 'data'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('facts are settled once and kept', () => {
  openDataDirectory(places)
  const facts = clusterFacts(places)
  expect(facts).toMatchObject({ name: places.name, network: { domain: 'cluster.local' } })
  openDataDirectory(places)
  expect(clusterFacts(places)).toEqual(facts)
})

test('a directory with other things in it is not taken', () => {
  mkdirSync(places.data)
  writeFileSync(join(places.data, 'thesis.txt'), '')
  expect(() => openDataDirectory(places)).toThrow(/holds other things \(thesis\.txt\)/)
  expect(readdirSync(places.data)).toEqual(['thesis.txt'])
})

test('one that cannot be made is named', () => {
  expect(() => openDataDirectory(placesOf(places.name, '/proc/sampan/data'))).toThrow(
    'the data directory /proc/sampan/data cannot be made: ENOENT',
  )
})

test('what a first start left behind before it settled the facts does no harm', () => {
  mkdirSync(places.data)
  writeFileSync(join(places.data, 'server.log'), '')
  openDataDirectory(places)
})

test('the directory of another cluster is refused', () => {
  clusterFacts(places)
  expect(() => knownFacts({ ...places, name: 'other' })).toThrow(
    `belongs to the cluster "${places.name}", not to "other"`,
  )
})

test('damaged facts are named and left alone', () => {
  clusterFacts(places)
  writeFileSync(join(places.data, 'cluster.json'), '{"format": 1')
  expect(() => openDataDirectory(places)).toThrow(/cluster\.json is damaged/)
})

test.each([
  ['Laptop', 'laptop'],
  ['my_host.example.org.', 'my-host.example.org'],
  ['-a-.-b..c-', 'a.b.c'],
  [`${'a'.repeat(62)}.b`, 'a'.repeat(62)],
  ['x'.repeat(64), 'x'.repeat(63)],
  ['___', 'node'],
])('a machine called %s is the node %s', (host, node) => {
  expect(nodeNameOf(host)).toBe(node)
})
