// Base images out of a real registry.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { RegistryClient } from '../../client/registry-client.ts'
import { startRegistry, type Registry } from '../../registry/registry.ts'
import { writeLayer, type LayerEntry } from '../layers/layer.ts'
import { architecture } from '../push-image.ts'
import { BaseFiles } from './base-files.ts'
import type { BaseImage } from './base-image.ts'
import { pullBase } from './pull-base.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-base-'))
let registry: Registry
let address = ''
beforeAll(async () => {
  registry = await startRegistry({ directory: join(directory, 'registry'), host: '127.0.0.1', port: 0 })
  address = `127.0.0.1:${registry.port}`
})
afterAll(async () => {
  await registry.close()
  rmSync(directory, { recursive: true })
})

let cacheDirectory = ''
let steps: string[] = []
let notes: string[] = []
beforeEach(() => {
  cacheDirectory = mkdtempSync(join(directory, 'cache-'))
  steps = []
  notes = []
})

const pull = (name: string, connected = address): Promise<BaseImage> =>
  pullBase(name, {
    cacheDirectory,
    connect: (_host, repository) => new RegistryClient(connected, repository),
    localRegistry: connected,
    progress: (step, cached) => steps.push(cached ? `${step} (cached)` : step),
    note: text => notes.push(text),
  })

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const json = (value: object): Buffer => Buffer.from(JSON.stringify(value))
const imageType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'

async function layerOf(...entries: LayerEntry[]): Promise<Buffer> {
  const file = join(directory, 'layer.tar')
  await writeLayer(file, entries)
  return readFileSync(file)
}
const file = (path: string): LayerEntry => ({ path, kind: 'file', source: Buffer.from(path) })

/** @returns digest of the image's manifest */
async function push(
  repository: string,
  tag: string,
  layers: readonly { tar: Buffer; type: string }[],
): Promise<string> {
  const client = new RegistryClient(address, repository)
  const packed = layers.map(({ tar, type }) =>
    type.endsWith('gzip') ? gzipSync(tar) : type.endsWith('zstd') ? zstdCompressSync(tar) : tar,
  )
  await Promise.all(packed.map(bytes => client.pushBytes(bytes)))
  const config = json({
    config: { Env: ['PATH=/opt/bin:/bin', 'LANG=C'], Entrypoint: ['x'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => digestOf(tar)) },
  })
  const manifest = json({
    schemaVersion: 2,
    mediaType: imageType,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: await client.pushBytes(config),
      size: config.length,
    },
    layers: packed.map((bytes, index) => ({
      mediaType: layers[index]!.type,
      digest: digestOf(bytes),
      size: bytes.length,
    })),
  })
  const { digest } = await client.pushManifest(tag, imageType, manifest)
  client.close()
  return digest
}

const tarType = 'application/vnd.oci.image.layer.v1.tar'

test('its layers are fetched once, whatever they are packed with, and its files are known', async () => {
  const layers = [
    {
      tar: await layerOf(file('usr/bin/sh'), { path: 'bin', kind: 'link', target: 'usr/bin' }),
      type: `${tarType}+gzip`,
    },
    {
      tar: await layerOf(file('opt/node'), file('tmp/old')),
      type: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    },
    { tar: await layerOf(file('opt/b'), file('tmp/.wh.old')), type: `${tarType}+zstd` },
    { tar: await layerOf(file('opt/c')), type: tarType },
  ]
  const digest = await push('base', '1', layers)
  const base = await pull('sampan.local/base:1')
  expect(base).toMatchObject({ name: 'sampan.local/base:1', digest, config: { Env: ['PATH=/opt/bin:/bin', 'LANG=C'] } })
  expect(base.layers.map(({ mediaType }) => mediaType)).toEqual([
    `${tarType}+gzip`,
    `${tarType}+gzip`,
    `${tarType}+zstd`,
    tarType,
  ])
  expect(base.layers.map(({ diffId }) => diffId)).toEqual(layers.map(({ tar }) => digestOf(tar)))
  const known = ['/bin/sh', '/usr/bin/sh', '/opt/node', '/opt/b', '/opt/c', '/tmp', '/tmp/old', '/bin/bash']
  expect(known.map(path => base.has(path))).toEqual([true, true, true, true, true, true, false, false])
  await pull('sampan.local/base:1')
  expect(steps).toEqual(['base image sampan.local/base:1 (1 MB)', 'base image sampan.local/base:1 (cached)'])
})

test('of an image for several platforms that of this machine is taken', async () => {
  const digest = await push('many', 'amd64', [{ tar: await layerOf(file('a')), type: tarType }])
  const client = new RegistryClient(address, 'many')
  const index = (platforms: object[]): Buffer =>
    json({
      schemaVersion: 2,
      mediaType: indexType,
      manifests: platforms.map(platform => ({ mediaType: imageType, digest, size: 1, platform })),
    })
  await client.pushManifest(
    '1',
    indexType,
    index([
      { os: 'windows', architecture },
      { os: 'linux', architecture },
    ]),
  )
  await client.pushManifest(
    '2',
    indexType,
    index([
      { os: 'windows', architecture },
      { os: 'linux', architecture: 's390x' },
    ]),
  )
  expect((await pull('sampan.local/many:1')).has('/a')).toBe(true)
  await expect(pull('sampan.local/many:2')).rejects.toThrow(
    `sampan.local/many:2 is there for windows/${architecture}, linux/s390x, but not for linux/${architecture}`,
  )
})

describe('a registry', () => {
  test('that cannot be asked is not needed for what was fetched before, and that is told', async () => {
    const digest = await push('away', '1', [{ tar: await layerOf(file('a')), type: tarType }])
    await pull('example.com/away:1')
    expect((await pull('example.com/away:1', '127.0.0.1:1')).digest).toBe(digest)
    expect(notes).toEqual([
      expect.stringMatching(/cannot be reached .*; example\.com\/away:1 is taken as it was last, sha256:/),
    ])
    expect((await pull(`example.com/away@${digest}`, '127.0.0.1:1')).has('/a')).toBe(true)
    await expect(pull('example.com/away:2', '127.0.0.1:1')).rejects.toThrow(/cannot be reached/)
  })

  test('without the tag says which there are', async () => {
    await push('tags', '1', [])
    await expect(pull('sampan.local/tags:2')).rejects.toThrow(
      'there is no image sampan.local/tags:2 to build upon; its registry has 1',
    )
    await expect(pull('sampan.local/none:2')).rejects.toThrow(/has none of that name/)
    await expect(pull('Not A Name')).rejects.toThrow(/expected the name of an image such as debian:12-slim/)
  })
})

test('files of layers hide each other as the specification says', () => {
  const files = new BaseFiles([
    [
      ['a/b', ''],
      ['a/c', ''],
      ['d/e/f', ''],
      ['loop', 'loop'],
    ],
    [
      ['a/.wh..wh..opq', ''],
      ['a/new', ''],
      ['d/.wh.e', ''],
      ['up', '../a/new'],
      ['abs', '/a/new'],
    ],
  ])
  const paths = ['/a/b', '/a/c', '/a/new', '/d/e/f', '/up', '/abs', '/loop', '/a/../a/./new', '/']
  expect(paths.map(path => files.has(path))).toEqual([false, false, true, false, true, true, false, true, true])
})
