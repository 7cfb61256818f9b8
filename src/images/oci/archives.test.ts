// Images into files and out of them again, with the formats of docker save and of OCI layouts.
import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { imageType, indexType, RegistryFixture, type PushedImage } from '../../testing/registry-fixture.ts'
import { faultsOf } from '../../testing/whole-registry.ts'
import type { Descriptor } from '../descriptor.ts'
import { configType } from '../media-types.ts'
import { digestOf } from '../registry/digest.ts'
import { exportImages } from './export-image.ts'
import { ofThisMachine } from './image-manifest.ts'
import { pathOf } from './present-image.ts'
import { importImages, type ImportedImage, type ImportOptions } from './import-images.ts'
import { RegistryClient } from '../client/registry-client.ts'
import { RegistryContent } from '../client/registry-content.ts'

let directory: string
let source: RegistryFixture
let web: PushedImage
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-archives-'))
  source = await RegistryFixture.start()
  web = await source.pushImage('team/web', '1.0', [randomBytes(300_000), 'second'])
})
afterAll(async () => {
  await source.close()
  rmSync(directory, { recursive: true })
})

const contentOf = ({ port }: RegistryFixture): RegistryContent =>
  new RegistryContent(`127.0.0.1:${port}`, repository => new RegistryClient(`127.0.0.1:${port}`, repository))
const file = (name: string): string => join(directory, name)
const exported = (name: string, ...references: string[]): Promise<number> =>
  exportImages(
    contentOf(source),
    references.map(text => {
      const [repository = '', reference = ''] = text.split(':')
      return { repository, reference, name: `sampan.local/${text}` }
    }),
    file(name),
  )

/** Into a registry that is empty, where it is then looked at. */
async function imported(
  name: string,
  look: (target: RegistryFixture, images: readonly ImportedImage[]) => Promise<void> = async () => {},
  place: ImportOptions['place'] = called => ({
    repository: called?.split('/').slice(1).join('/').split(':')[0] ?? 'unnamed',
    tag: called?.split(':')[1] ?? 'none',
  }),
): Promise<void> {
  const target = await RegistryFixture.start()
  try {
    await look(target, await importImages({ registry: contentOf(target), file: file(name), place }))
    expect(await faultsOf(target)).toEqual([])
  } finally {
    await target.close()
  }
}

/** Files of a tar; a text that begins with `->` is a link. */
async function write(name: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const tar = pack()
  for (const [path, content] of Object.entries(files))
    if (String(content).startsWith('->')) tar.entry({ name: path, type: 'symlink', linkname: String(content).slice(2) })
    else tar.entry({ name: path }, content)
  tar.finalize()
  await pipeline(tar, createWriteStream(file(name)))
}

describe('what is exported', () => {
  test('comes in again with the same digest, under its name', async () => {
    expect(await exported('web.tar', 'team/web:1.0')).toBeGreaterThan(300_000)
    await imported('web.tar', async (target, images) => {
      expect(images).toEqual([{ repository: 'team/web', tag: '1.0', digest: web.digest }])
      expect(String(await target.bytes('team/web/manifests/1.0'))).toBe(web.manifest)
    })
  })

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('comes in when it was packed with %s', async (_what, compress) => {
    await exported('packed.tar', 'team/web:1.0')
    writeFileSync(file('packed'), compress(readFileSync(file('packed.tar'))))
    await imported('packed', async (_target, [image]) => expect(image!.digest).toBe(web.digest))
  })

  test('is the same file each time', async () => {
    await exported('once.tar', 'team/web:1.0')
    await exported('twice.tar', 'team/web:1.0')
    expect(readFileSync(file('twice.tar')).equals(readFileSync(file('once.tar')))).toBe(true)
  })

  test('has what two images share once', async () => {
    await source.pushManifest('team/web', '1.0-again', web.manifest)
    const both = await exported('both.tar', 'team/web:1.0', 'team/web:1.0-again')
    expect(both).toBe(await exported('one.tar', 'team/web:1.0'))
    await imported('both.tar', async (_target, images) =>
      expect(images.map(({ tag }) => tag)).toEqual(['1.0', '1.0-again']),
    )
  })

  test('has all images of an index', async () => {
    const other = await source.pushImage('team/web', undefined, 'other')
    const index = await source.pushManifest('team/web', 'all', {
      schemaVersion: 2,
      mediaType: indexType,
      manifests: [web, other].map(({ digest, manifest }, at) => ({
        mediaType: imageType,
        digest,
        size: manifest.length,
        platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' },
      })),
    })
    await exported('all.tar', 'team/web:all')
    await imported('all.tar', async (target, [image]) => {
      expect(image!.digest).toBe(index)
      expect(await target.status('GET', `team/web/blobs/${other.layers[0]}`)).toBe(200)
    })
  })

  test('is no file at all when the image is not there', async () => {
    await expect(exported('none.tar', 'team/web:2.0')).rejects.toThrow('there is no image sampan.local/team/web:2.0')
    expect([existsSync(file('none.tar')), existsSync(file('none.tar.partial'))]).toEqual([false, false])
  })

  test('is no file at all when it cannot be written', async () => {
    await expect(exported('no/folder.tar', 'team/web:1.0')).rejects.toThrow('cannot be written: ENOENT')
  })
})

describe('an archive of docker save', () => {
  const layer = randomBytes(10_000)
  const config = '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`
  const index = (entry: object): string =>
    JSON.stringify([{ Config: configName, RepoTags: ['registry.example.com/team/web:2'], ...entry }])

  test('of old docker: layers in folders, and links to those that come again', async () => {
    await write('docker.tar', {
      'aaa/layer.tar': layer,
      'bbb/layer.tar': '->../aaa/layer.tar',
      [configName]: config,
      'manifest.json': index({ Layers: ['aaa/layer.tar', 'bbb/layer.tar'] }),
    })
    await imported('docker.tar', async (target, [image]) => {
      expect(image).toMatchObject({ repository: 'team/web', tag: '2' })
      const manifest = await target.json<{ config: { digest: string }; layers: object[] }>('team/web/manifests/2')
      expect(manifest.config.digest).toBe(digestOf(config))
      const expected = { digest: digestOf(layer), size: 10_000, mediaType: 'application/vnd.oci.image.layer.v1.tar' }
      expect(manifest.layers).toEqual([expected, expected])
    })
  })

  test('with layers that are packed', async () => {
    const packed = gzipSync(layer)
    await write('gzip.tar', { 'l.tar': packed, [configName]: config, 'manifest.json': index({ Layers: ['l.tar'] }) })
    await imported('gzip.tar', async target => {
      const { layers } = await target.json<{ layers: object[] }>('team/web/manifests/2')
      expect(layers).toMatchObject([{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: packed.length }])
    })
  })

  test('under several names, and under none', async () => {
    const files = { 'l.tar': layer, [configName]: config }
    await write('names.tar', { ...files, 'manifest.json': index({ Layers: ['l.tar'], RepoTags: ['a/b:1', 'a/c:2'] }) })
    await imported('names.tar', async (_target, images) => expect(images).toMatchObject([{ tag: '1' }, { tag: '2' }]))
    await write('nameless.tar', { ...files, 'manifest.json': index({ Layers: ['l.tar'], RepoTags: null }) })
    await imported('nameless.tar', async (_target, images) => expect(images).toMatchObject([{ tag: 'none' }]))
  })

  test.each([
    ['a layer is missing', index({ Layers: ['gone.tar'] }), 'names gone.tar, which is not in it'],
    ['its list is empty', '[]', 'its manifest.json is empty'],
    ['its list is no JSON', '[', 'expected manifest.json in JSON'],
  ])('of which %s', async (_what, text, message) => {
    await write('broken.tar', { [configName]: config, 'manifest.json': text })
    await expect(imported('broken.tar')).rejects.toThrow(message)
  })
})

describe('an index whose platforms are not all in the archive, as docker writes it', () => {
  const blob = (content: string): Record<string, string> => ({ [pathOf(digestOf(content))]: content })
  const named = (content: string, more: object): Descriptor => ({
    mediaType: imageType,
    digest: digestOf(content),
    size: content.length,
    ...more,
  })
  const manifestOf = (layer: string): string =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: imageType,
      config: { mediaType: configType, digest: digestOf('{}'), size: 2 },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(layer), size: layer.length }],
    })
  const platforms = ['amd64', 'arm64', 's390x']
  const about = manifestOf('about arm64')
  const reference = { 'vnd.docker.reference.type': 'attestation-manifest' }
  const indexText = JSON.stringify({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [
      ...platforms.map(architecture => named(manifestOf(architecture), { platform: { os: 'linux', architecture } })),
      named(about, {
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: { ...reference, 'vnd.docker.reference.digest': digestOf(manifestOf('arm64')) },
      }),
    ],
  })

  /** @param whole platforms that are there; @param manifests those whose manifest alone is there */
  const save = (whole: readonly string[], manifests: readonly string[] = []): Promise<void> =>
    write('partly.tar', {
      'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
      'index.json': JSON.stringify({
        manifests: [
          named(indexText, {
            mediaType: indexType,
            annotations: { 'io.containerd.image.name': 'docker.io/library/multi:1' },
          }),
        ],
      }),
      ...blob(indexText),
      ...blob('{}'),
      ...blob(about),
      ...blob('about arm64'),
      ...Object.assign({}, ...[...whole, ...manifests].map(name => blob(manifestOf(name)))),
      ...Object.assign({}, ...whole.map(blob)),
    })

  test('with one that is there: the tag leads to it', async () => {
    await save(['amd64'], ['arm64'])
    await imported('partly.tar', async (_target, images) =>
      expect(images).toMatchObject([
        { tag: '1', digest: digestOf(manifestOf('amd64')), absent: ['linux/arm64', 'linux/s390x'] },
      ]),
    )
  })

  test('with several: the tag leads to an index of these, and of what is about them', async () => {
    await save(['amd64', 'arm64'])
    await imported('partly.tar', async (target, images) => {
      expect(images).toMatchObject([{ absent: ['linux/s390x'] }])
      const { manifests } = await target.json<{ manifests: Descriptor[] }>('library/multi/manifests/1')
      const expected = [manifestOf('amd64'), manifestOf('arm64'), about].map(text => digestOf(text))
      expect(manifests.map(({ digest }) => digest)).toEqual(expected)
    })
    await save(['amd64', 's390x'])
    await imported('partly.tar', async target => {
      const { manifests } = await target.json<{ manifests: Descriptor[] }>('library/multi/manifests/1')
      expect(manifests.map(({ platform }) => platform?.architecture)).toEqual(['amd64', 's390x'])
    })
  })

  test('with all: the index stays as it is', async () => {
    await save(platforms)
    await imported('partly.tar', async (_target, [image]) => {
      expect(image).toEqual({ repository: 'library/multi', tag: '1', digest: digestOf(indexText) })
    })
  })

  test('with none: it is told', async () => {
    await save([], ['amd64'])
    await expect(imported('partly.tar')).rejects.toThrow(
      'multi:1 for linux/amd64, linux/arm64, linux/s390x, and holds none of these whole',
    )
  })
})

describe('what is no archive of images', () => {
  test.each([
    ['another tar', async () => write('other.tar', { 'notes.txt': 'hello' }), 'holds no images'],
    ['nothing of the kind', async () => writeFileSync(file('other.tar'), randomBytes(3000)), 'no archive of images'],
    ['not there', async () => rmSync(file('other.tar'), { force: true }), 'there is no such file'],
    [
      'cut off',
      async () => {
        await exported('whole.tar', 'team/web:1.0')
        writeFileSync(file('other.tar'), readFileSync(file('whole.tar')).subarray(0, 200_000))
      },
      'damaged',
    ],
  ])('%s is told', async (_what, prepare, message) => {
    await prepare()
    await expect(imported('other.tar')).rejects.toThrow(message)
  })

  test('a folder is told, and how an archive is made of it', async () => {
    await expect(imported('.')).rejects.toThrow(/is a folder; expected an archive .* tar -cf image\.tar -C /)
  })

  test('a layout whose content is not what its digest says', async () => {
    const manifest = JSON.stringify({ config: { digest: digestOf('{}') }, layers: [] })
    const blobs = (digest: string): string => `blobs/${digest.replace(':', '/')}`
    await write('forged.tar', {
      'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
      'index.json': JSON.stringify({ manifests: [{ mediaType: imageType, digest: digestOf(manifest) }] }),
      [blobs(digestOf(manifest))]: manifest,
      [blobs(digestOf('{}'))]: '{"forged":true}',
    })
    await expect(imported('forged.tar')).rejects.toThrow('the archive is damaged')
  })
})

test('what is there already is not read again: a second import sends nothing', async () => {
  await exported('web.tar', 'team/web:1.0')
  const target = await RegistryFixture.start()
  const steps: string[] = []
  const options: ImportOptions = {
    registry: contentOf(target),
    file: file('web.tar'),
    place: () => ({ repository: 'web', tag: '1' }),
    progress: step => steps.push(step),
  }
  await importImages(options)
  expect(steps).toHaveLength(3)
  await importImages(options)
  await importImages({ ...options, place: () => ({ repository: 'elsewhere', tag: '1' }) })
  expect(steps).toHaveLength(3)
  await target.close()
})

test.each([
  [['amd64', 'arm64'], 'x64', 'amd64'],
  [['amd64', 'arm64'], 'arm64', 'arm64'],
  [['s390x'], 'x64', 's390x'],
  [['s390x', 'arm64'], 'x64', undefined],
])('of images for %j a machine with %s takes %s', (all, machine, expected) => {
  const manifests = all.map(architecture => ({
    mediaType: imageType,
    digest: architecture,
    size: 1,
    platform: { os: 'linux', architecture },
  }))
  expect(ofThisMachine({ manifests }, machine)?.digest).toBe(expected)
})
