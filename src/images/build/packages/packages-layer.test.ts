// With a repository of Debian packages made here, which apt reads instead of the machine's: what is asked of apt is
// the same, and nothing comes over the network.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../../host/cluster-programs.ts'
import { baseWith, BuildPlace, type Built } from '../../../testing/build-place.ts'
import type { BaseImage } from '../base/base-image.ts'
import { commandBuilder } from '../command/command-builder.ts'
import { triplet } from '../layers/library-places.ts'

const architecture = process.arch === 'x64' ? 'amd64' : process.arch
let repository = ''
let place: BuildPlace

const missing = findProgram('apt-get') === undefined || findProgram('dpkg-deb') === undefined

beforeAll(() => {
  if (missing) return
  repository = mkdtempSync(join(tmpdir(), 'sampan-apt-'))
  // The user that apt drops to has to read it.
  chmodSync(repository, 0o755)
  makePackage(
    'libpicture9',
    '1:2.0-1',
    {
      [`usr/lib/${triplet}/libpicture.so.9`]: 'library',
      [`usr/lib/${triplet}/blas/libblas.so.3`]: 'one kind',
      'usr/share/doc/libpicture9/copyright': 'MIT',
      'usr/share/doc/libpicture9/changelog.gz': 'x',
      'usr/share/man/man1/picture.1': 'x',
      'lib/picture/data': 'x',
    },
    'libpixel3 (>= 1), libc6, debconf (>= 0.5) | debconf-2.0',
  )
  makePackage('libpixel3', '3.1', { [`usr/lib/${triplet}/libpixel.so.3`]: 'library' })
  makePackage('libc6', '99', { [`lib/${triplet}/libc.so.6`]: 'another C library' })
  makePackage('debconf', '2', { 'usr/bin/debconf': 'asks' })
  publish()
  // What apt fetched before for the machine is fetched for the image as well.
  copyFileSync(join(repository, 'libpixel3.deb'), join(repository, `cache/archives/libpixel3_3.1_${architecture}.deb`))
})
afterAll(() => {
  if (!missing) rmSync(repository, { recursive: true })
})
beforeEach(() => {
  place = new BuildPlace()
  vi.stubEnv('APT_CONFIG', join(repository, 'apt.conf'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.close()
})

function makePackage(name: string, version: string, files: Readonly<Record<string, string>>, needs = ''): void {
  const folder = mkdtempSync(join(repository, 'make-'))
  chmodSync(folder, 0o755)
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: a <a@b>',
    ...(needs === '' ? [] : [`Depends: ${needs}`]),
    'Description: x',
    '',
  ].join('\n')
  for (const [path, content] of Object.entries({ ...files, 'DEBIAN/control': control })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', folder, join(repository, `${name}.deb`)], {
    stdio: 'ignore',
  })
  rmSync(folder, { recursive: true })
}

/** What `dpkg-scanpackages` would write, which is in no package that is here anyway. */
function publish(): void {
  const index = readdirSync(repository)
    .filter(name => name.endsWith('.deb'))
    .map(name => {
      const file = join(repository, name)
      const control = execFileSync('dpkg-deb', ['--field', file], { encoding: 'utf8' }).trim()
      const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
      return `${control}\nFilename: ./${name}\nSize: ${statSync(file).size}\nSHA256: ${hash}\n`
    })
  writeFileSync(join(repository, 'Packages'), index.join('\n'))
  for (const folder of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(repository, folder), { recursive: true })
  writeFileSync(join(repository, 'sources.list'), `deb [trusted=yes] file:${repository} ./\n`)
  writeFileSync(
    join(repository, 'apt.conf'),
    [
      `Dir::State "${repository}/state";`,
      `Dir::Cache "${repository}/cache";`,
      `Dir::Etc::SourceList "${repository}/sources.list";`,
      'Dir::Etc::SourceParts "/dev/null";',
      'APT::Sandbox::User "root";',
      '',
    ].join('\n'),
  )
  execFileSync('apt-get', ['update', '-qq'], { env: { ...process.env, APT_CONFIG: join(repository, 'apt.conf') } })
}

const build = (packages: string[], base?: BaseImage): Promise<Built> => {
  place.put('start', readFileSync('/bin/true'), 0o755)
  return place.build(commandBuilder, { packages, start: ['./start'] }, base === undefined ? {} : { base })
}

describe.skipIf(missing)(`Debian packages in an image${missing ? ' (skipped: this machine is no Debian)' : ''}`, () => {
  test('come with what they need, without what the image has and what only people and installers use', async () => {
    const { files, components, steps, digests } = await build(['libpicture9'])
    const lists = [...files].filter(([, { layer, type }]) => layer === 1 && type !== 'directory').map(([name]) => name)
    expect(lists).toEqual(
      expect.arrayContaining([
        'lib/picture/data',
        `usr/lib/${triplet}/blas/libblas.so.3`,
        `usr/lib/${triplet}/libblas.so.3`,
        `usr/lib/${triplet}/libpicture.so.9`,
        `usr/lib/${triplet}/libpixel.so.3`,
        'usr/share/doc/libpicture9/copyright',
      ]),
    )
    expect(lists.filter(name => /changelog|man1|debconf/.test(name))).toEqual([])
    expect(files.get(`usr/lib/${triplet}/libblas.so.3`)?.target).toBe('blas/libblas.so.3')
    // The C library is that of the programs below, whole.
    expect([...files.values()].map(({ content }) => content)).not.toContain('another C library')
    expect(lists.some(name => name.endsWith('/libresolv.so.2'))).toBe(true)
    expect(components).toContainEqual({
      name: 'libpicture9',
      version: '1:2.0-1',
      purl: `pkg:deb/debian/libpicture9@1%3A2.0-1?arch=${architecture}`,
    })
    expect(steps).toContain('packages')
    expect(digests).toHaveLength(3)
  }, 60_000)

  test('are kept, and the same again', async () => {
    const first = await build(['libpixel3'])
    const second = await build(['libpixel3'])
    expect(second.steps).toContain('packages (cached)')
    expect(second.digests).toEqual(first.digests)
    const third = await place.build(
      commandBuilder,
      { packages: ['libpixel3'], start: ['./start'] },
      { cacheDirectory: place.folder('cache') },
    )
    expect(third.digests).toEqual(first.digests)
  }, 60_000)

  test('that bring the program are enough to start it', async () => {
    place.put('x', '')
    const { files } = await place.build(commandBuilder, { packages: ['debconf'], start: ['debconf'] })
    expect(files.get('usr/bin/debconf')?.content).toBe('asks')
  }, 60_000)

  test('that there are not are told with those that are alike', async () => {
    await expect(build(['libpicture12'])).rejects.toThrow(
      'packages: apt knows no package "libpicture12"; there is libpicture9; if the name is right, bring apt\'s lists up to date with: apt-get update',
    )
    await expect(build(['nothing-like-it'])).rejects.toThrow(
      'packages: apt knows no package "nothing-like-it"; if the name is right, bring apt\'s lists up to date with: apt-get update',
    )
  }, 60_000)

  test('that cannot be fetched end with what apt said', async () => {
    const archive = join(repository, 'libpixel3.deb')
    const whole = readFileSync(archive)
    writeFileSync(archive, 'broken')
    try {
      await expect(build(['libpixel3'])).rejects.toThrow(/the Debian packages libpixel3.* cannot be had:\n[\s\S]*E: /)
    } finally {
      writeFileSync(archive, whole)
    }
  }, 60_000)

  test('on a base image leave its files alone, and its links of folders whole', async () => {
    const libraries = ['libc.so.6', 'libpixel.so.3'].map(name => `/usr/lib/${triplet}/${name}`)
    const base = baseWith('debian:12', /ld-linux/, ...libraries)
    const { files } = await build(['libpicture9'], base)
    expect(files.has('usr/lib/picture/data')).toBe(true)
    expect([...files.keys()].filter(name => /^lib\/|^lib$/.test(name))).toEqual([])
    expect(files.has(`usr/lib/${triplet}/libpixel.so.3`)).toBe(false)
    expect([...files.values()].map(({ content }) => content)).not.toContain('another C library')
  }, 60_000)
})
