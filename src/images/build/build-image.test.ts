// Builds real images into a real registry. /bin/true stands for Node.js: a base layer is a program with
// its libraries, whatever the program is.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { extract } from 'tar-stream'
import { RegistryClient } from '../client/registry-client.ts'
import { startRegistry, type Registry } from '../registry/registry.ts'
import { buildImage } from './build-image.ts'
import type { BuiltImage } from './push-image.ts'
import { BuildError } from './build-error.ts'
import type { Builder } from './builder.ts'
import { nodeBuilder } from './node/node-builder.ts'
import { defaultSettings } from './settings.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-build-'))
let registry: Registry
beforeAll(async () => {
  registry = await startRegistry({ directory: join(root, 'registry'), host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await registry.close()
  rmSync(root, { recursive: true })
})

let directory = ''
let cacheDirectory = ''
let steps: string[] = []
let notes: string[] = []
beforeEach(() => {
  directory = mkdtempSync(join(root, 'project-'))
  cacheDirectory = mkdtempSync(join(root, 'cache-'))
  steps = []
  notes = []
  put('package.json', JSON.stringify({ name: 'web', version: '1.0.0', scripts: { start: 'node main.js' } }))
  put('main.js', 'console.log(1)')
})

const put = (path: string, content: string): void => {
  mkdirSync(join(directory, path, '..'), { recursive: true })
  writeFileSync(join(directory, path), content)
}

const build = (more: Partial<Parameters<typeof buildImage>[0]> = {}): Promise<BuiltImage> =>
  buildImage({
    directory,
    builder: nodeBuilder,
    settings: defaultSettings,
    repository: 'web',
    tag: '1.0.0',
    registry: `127.0.0.1:${registry.port}`,
    cacheDirectory,
    nodeBinary: '/bin/true',
    connect: (address, repository) => new RegistryClient(address, repository),
    tool: 'sampan-test',
    progress: (step, cached) => steps.push(cached ? `${step} (cached)` : step),
    note: text => notes.push(text),
    ...more,
  })

const fetched = async (path: string): Promise<Buffer> =>
  Buffer.from(await (await fetch(`http://127.0.0.1:${registry.port}/v2/web/${path}`)).arrayBuffer())

interface PulledImage {
  readonly config: { config: Record<string, unknown>; rootfs: { diff_ids: string[] } }
  readonly layers: readonly { digest: string; size: number; mediaType: string }[]
}

async function pulled(tag = '1.0.0'): Promise<PulledImage> {
  const manifest = JSON.parse((await fetched(`manifests/${tag}`)).toString()) as {
    config: { digest: string }
    layers: PulledImage['layers']
  }
  return {
    config: JSON.parse((await fetched(`blobs/${manifest.config.digest}`)).toString()) as PulledImage['config'],
    layers: manifest.layers,
  }
}

async function namesIn(digest: string): Promise<string[]> {
  const names: string[] = []
  const unpack = extract()
  unpack.end(await fetched(`blobs/${digest}`))
  for await (const entry of unpack) {
    names.push(entry.header.name)
    entry.resume()
  }
  return names
}

describe('a built image', () => {
  test('has a base and an application layer, and says how it is started', async () => {
    const { digest, sizeBytes } = await build()
    const { config, layers } = await pulled()
    expect(digest).toMatch(/^sha256:/)
    expect(layers).toHaveLength(2)
    expect(layers.reduce((sum, { size }) => sum + size, 0)).toBe(sizeBytes)
    expect(config.config).toMatchObject({
      Entrypoint: ['/usr/local/bin/node'],
      Cmd: ['main.js'],
      WorkingDir: '/app',
      User: '1000:1000',
    })
    expect(config.rootfs.diff_ids).toEqual(layers.map(layer => layer.digest))
    expect(await namesIn(layers[0]!.digest)).toEqual(
      expect.arrayContaining(['usr/local/bin/node', 'etc/passwd', 'tmp/', 'home/node/']),
    )
    expect(await namesIn(layers[1]!.digest)).toEqual(['app/', 'app/main.js', 'app/package.json'])
  })

  test('is the same to the byte when it is built again, elsewhere and later', async () => {
    const first = await build()
    const copy = mkdtempSync(join(root, 'copy-'))
    for (const name of ['package.json', 'main.js']) {
      writeFileSync(join(copy, name), execFileSync('cat', [join(directory, name)]))
      utimesSync(join(copy, name), 1, 1)
    }
    const second = await build({ directory: copy, cacheDirectory: mkdtempSync(join(root, 'cache-')) })
    expect(second).toEqual(first)
  })

  test('changes with its files only', async () => {
    await build()
    const before = await pulled()
    put('main.js', 'console.log(2)')
    await build({ tag: '2' })
    const after = await pulled('2')
    expect(after.layers[0]).toEqual(before.layers[0])
    expect(after.layers[1]!.digest).not.toBe(before.layers[1]!.digest)
  })

  test('leaves out what .dockerignore names', async () => {
    put('.dockerignore', 'secrets\n**/*.md')
    put('secrets/key', 'k')
    put('src/notes.md', 'n')
    await build({ tag: 'ignored' })
    expect(await namesIn((await pulled('ignored')).layers[1]!.digest)).toEqual([
      'app/',
      'app/main.js',
      'app/package.json',
      'app/src/',
    ])
  })

  test('holds what .dockerignore takes back out of a folder, and nothing else of it', async () => {
    put('.dockerignore', 'docs\n!docs/deep/keep.md\n.dockerignore')
    put('docs/a.md', '')
    put('docs/deep/keep.md', '')
    put('docs/deep/other.md', '')
    put('docs/empty/other.md', '')
    await build({ tag: 'back' })
    expect(await namesIn((await pulled('back')).layers[1]!.digest)).toEqual([
      'app/',
      'app/docs/',
      'app/docs/deep/',
      'app/docs/deep/keep.md',
      'app/main.js',
      'app/package.json',
    ])
  })

  test('has the variables of its start script and of npm, and says what of it does not run', async () => {
    put(
      'package.json',
      JSON.stringify({
        name: '@team/web',
        version: '1.2.3',
        scripts: { prestart: 'node check.js', start: "NODE_ENV=staging MODE='a b' node main.js --port 1" },
      }),
    )
    await build({ tag: 'variables' })
    const { config } = await pulled('variables')
    expect(config.config['Cmd']).toEqual(['main.js', '--port', '1'])
    expect(config.config['Env']).toEqual(
      expect.arrayContaining([
        'NODE_ENV=staging',
        'MODE=a b',
        'npm_package_name=@team/web',
        'npm_package_version=1.2.3',
      ]),
    )
    expect(config.config['Env']).not.toContain('NODE_ENV=production')
    expect(notes).toEqual(['the script "prestart" (node check.js) does not run in the image'])
  })

  test('keeps its base layer between builds', async () => {
    await build()
    put('main.js', 'console.log(2)')
    await build()
    expect(steps.filter(step => step.startsWith('base'))).toEqual(['base layer', 'base layer (cached)'])
  })

  test('leaves nothing half-made behind', async () => {
    await build()
    expect(
      readdirSync(cacheDirectory).filter(name => !/^(pruned|base-\w+\.(tar|json)|built-\w+\.json)$/.test(name)),
    ).toEqual([])
  })
})

describe('a build of what did not change', () => {
  test('does nothing and says what was said before, until a file, the settings or the commit changes', async () => {
    put('package.json', JSON.stringify({ scripts: { prestart: 'node check.js', start: 'node main.js' } }))
    const first = await build({ tag: 'same' })
    steps = []
    expect(await build({ tag: 'same' })).toEqual(first)
    expect(steps).toEqual(['nothing changed (cached)'])
    expect(notes).toEqual(
      Array.from({ length: 2 }, () => 'the script "prestart" (node check.js) does not run in the image'),
    )
    put('main.js', 'console.log(2)')
    const second = await build({ tag: 'same' })
    expect(second.digest).not.toBe(first.digest)
    steps = []
    await build({ tag: 'same', owner: 1000 })
    expect(steps).toContain('application')
  })

  test('is done when a tool is another one, or when nobody can tell', async () => {
    let compiler: string | undefined = '1'
    const builder: Builder = { ...nodeBuilder, surroundings: async () => compiler }
    const done = async (): Promise<boolean> => {
      steps = []
      await build({ tag: 'tool', builder })
      return steps.includes('application')
    }
    expect([await done(), await done()]).toEqual([true, false])
    compiler = '2'
    expect([await done(), await done()]).toEqual([true, false])
    compiler = undefined
    expect([await done(), await done()]).toEqual([true, true])
  })

  test('is done when the registry has it no longer, and only named anew when its tag leads elsewhere', async () => {
    const first = await build({ tag: 'here' })
    put('main.js', 'console.log(2)')
    await build({ tag: 'there' })
    await fetch(`http://127.0.0.1:${registry.port}/v2/web/manifests/here`, { method: 'DELETE' })
    put('main.js', 'console.log(1)')
    expect((await build({ tag: 'here' })).digest).toBe(first.digest)
    await fetch(`http://127.0.0.1:${registry.port}/v2/web/manifests/here`, { method: 'DELETE' })
    steps = []
    await build({ tag: 'here' })
    expect(steps).toEqual(['nothing changed (cached)'])
    await fetch(`http://127.0.0.1:${registry.port}/v2/web/manifests/${first.digest}`, { method: 'DELETE' })
    steps = []
    await build({ tag: 'here' })
    expect(steps).toContain('pushed')
    expect((await pulled('here')).layers).toHaveLength(2)
  })

  test('knows its own outputs from what somebody changes meanwhile', async () => {
    mkdirSync(join(directory, 'node_modules'))
    put(
      'package.json',
      JSON.stringify({ main: 'dist/out.js', scripts: { build: 'mkdir -p dist && cp main.js dist/out.js' } }),
    )
    await build({ tag: 'outputs' })
    steps = []
    await build({ tag: 'outputs' })
    expect(steps).toEqual(['nothing changed (cached)'])
    put('package.json', JSON.stringify({ main: 'main.js', scripts: { build: 'echo // >> main.js' } }))
    await build({ tag: 'edited' })
    steps = []
    await build({ tag: 'edited' })
    expect(steps).toContain('application')
  }, 60_000)
})

test('variables of the base image hold where the service says nothing else, and programs are looked for in both', async () => {
  const made = (...variables: string[]): Builder => ({
    ...nodeBuilder,
    build: async () => ({ layers: [], config: { Env: variables }, components: [] }),
  })
  await build({ tag: 'below', builder: made('PATH=/opt/bin:/bin', 'LANG=C', 'A=1') })
  const settings = { ...defaultSettings, base: 'sampan.local/web:below' }
  await build({ tag: 'upon', builder: made('PATH=/venv/bin:/bin', 'LANG=C.UTF-8'), settings })
  expect((await pulled('upon')).config.config['Env']).toEqual(['PATH=/venv/bin:/bin:/opt/bin', 'LANG=C.UTF-8', 'A=1'])
})

describe('labels', () => {
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
      cwd: directory,
      encoding: 'utf8',
    }).trim()
  const labels = async (tag: string): Promise<unknown> => (await pulled(tag)).config.config['Labels']

  test('say the version, the commit that changed the service last, and the repository', async () => {
    await build({ tag: '1' })
    expect(await labels('1')).toEqual({
      'org.opencontainers.image.title': 'web',
      'org.opencontainers.image.version': '1',
    })
    git('init', '-q')
    git('add', '.')
    git('commit', '-qm', 'one')
    git('remote', 'add', 'origin', 'https://me:secret@example.com/team/web.git')
    const commit = git('rev-parse', 'HEAD')
    const { digest } = await build({ tag: '2' })
    expect(await labels('2')).toMatchObject({
      'org.opencontainers.image.revision': commit,
      'org.opencontainers.image.source': 'https://example.com/team/web',
    })
    // Also when it is made again because the registry has lost it.
    await fetch(`http://127.0.0.1:${registry.port}/v2/web/manifests/${digest}`, { method: 'DELETE' })
    expect((await build({ tag: '2' })).digest).toBe(digest)
    put('main.js', 'changed')
    await build({ tag: '3' })
    expect(await labels('3')).toMatchObject({ 'org.opencontainers.image.revision': `${commit}-dirty` })
  })

  test('say how the folder was before a builder wrote into it', async () => {
    git('init', '-q')
    git('add', '.')
    git('commit', '-qm', 'one')
    const { waitsByItself: _itself, ...others } = nodeBuilder
    const writing: Builder = {
      ...others,
      build: context => {
        put('made.js', '')
        return nodeBuilder.build(context)
      },
    }
    await build({ tag: '4', builder: writing })
    expect(await labels('4')).toMatchObject({ 'org.opencontainers.image.revision': git('rev-parse', 'HEAD') })
  })
})

test('a list of what is in an image is its referrer', async () => {
  const { digest } = await build({ tag: 'listed' })
  const { manifests } = JSON.parse((await fetched(`referrers/${digest}`)).toString()) as {
    manifests: { digest: string; artifactType: string }[]
  }
  expect(manifests).toEqual([expect.objectContaining({ artifactType: 'application/spdx+json' })])
  const { layers } = JSON.parse((await fetched(`manifests/${manifests[0]!.digest}`)).toString()) as {
    layers: { digest: string }[]
  }
  expect(JSON.parse((await fetched(`blobs/${layers[0]!.digest}`)).toString())).toMatchObject({
    spdxVersion: 'SPDX-2.3',
    name: 'web:listed',
    // The image itself, and packages of this machine whose files it has.
    packages: expect.arrayContaining([
      expect.objectContaining({ checksums: [expect.objectContaining({ checksumValue: digest.slice(7) })] }),
      expect.objectContaining({ name: 'libc6' }),
    ]) as object,
  })
})

describe('dependencies', () => {
  function withDependency(): void {
    const library = mkdtempSync(join(root, 'library-'))
    writeFileSync(
      join(library, 'package.json'),
      JSON.stringify({ name: 'library', version: '1.0.0', main: 'index.js' }),
    )
    writeFileSync(join(library, 'index.js'), '')
    execFileSync('npm', ['pack', '--silent'], { cwd: library })
    put(
      'package.json',
      JSON.stringify({
        name: 'web',
        version: '1.0.0',
        main: 'main.js',
        dependencies: { library: `file:${library}/library-1.0.0.tgz` },
      }),
    )
    execFileSync('npm', ['install', '--package-lock-only', '--offline', '--silent'], { cwd: directory })
  }

  test('are a layer of their own that is kept while the lock file stays the same', async () => {
    withDependency()
    await build({ tag: 'with' })
    const { layers } = await pulled('with')
    expect(layers).toHaveLength(3)
    expect(await namesIn(layers[1]!.digest)).toEqual(expect.arrayContaining(['app/node_modules/library/index.js']))
    put('main.js', 'console.log(3)')
    await build({ tag: 'with2' })
    expect(steps.filter(step => step.startsWith('dependencies'))).toEqual(['dependencies', 'dependencies (cached)'])
    expect((await pulled('with2')).layers[1]).toEqual(layers[1])
  }, 60_000)

  test('need a lock file', async () => {
    put('package.json', JSON.stringify({ main: 'main.js', dependencies: { library: '1' } }))
    await expect(build()).rejects.toThrow(
      /expected a package-lock.json, pnpm-lock.yaml or yarn.lock .* npm install --package-lock-only/,
    )
  })

  test('that npm cannot install fail with what npm said', async () => {
    withDependency()
    put('package-lock.json', JSON.stringify({ name: 'web', lockfileVersion: 3, packages: {} }))
    await expect(build()).rejects.toThrow(/npm ci .* failed in [\s\S]*lock file/)
    expect(readdirSync(cacheDirectory).filter(name => name.startsWith('making-'))).toEqual([])
  }, 60_000)
})

describe('native modules', () => {
  /** A library of this machine that needs another one which Node.js does not; it stands for a module. */
  const library = readdirSync('/usr/lib/x86_64-linux-gnu').find(name => name.startsWith('libnftables.so.'))!
  const needed = 'libjansson.so.4'

  function withNativeModule(content: Buffer): void {
    const place = mkdtempSync(join(root, 'native-'))
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'native', version: '1.0.0', main: 'index.js' }))
    writeFileSync(join(place, 'index.js'), '')
    writeFileSync(join(place, 'addon.node'), content)
    mkdirSync(join(place, 'prebuilds'))
    writeFileSync(join(place, 'prebuilds/windows.node'), 'MZ')
    execFileSync('npm', ['pack', '--silent'], { cwd: place })
    const dependencies = { native: `file:${place}/native-1.0.0.tgz` }
    put('package.json', JSON.stringify({ name: 'web', version: '1.0.0', main: 'main.js', dependencies }))
    execFileSync('npm', ['install', '--package-lock-only', '--offline', '--silent'], { cwd: directory })
  }

  test('bring the libraries that they need along, and none that the base has', async () => {
    withNativeModule(readFileSync(join('/usr/lib/x86_64-linux-gnu', library)))
    await build({ tag: 'native' })
    const names = await namesIn((await pulled('native')).layers[1]!.digest)
    expect(names).toContain('app/node_modules/native/addon.node')
    expect(names.some(name => name.endsWith(`/${needed}`))).toBe(true)
    expect(names.filter(name => name.endsWith('/libc.so.6'))).toEqual([])
    expect(notes).toEqual([])
  }, 60_000)

  test('that need what this machine has not are named with the package, and are looked at again next time', async () => {
    const original = readFileSync(join('/usr/lib/x86_64-linux-gnu', library))
    const broken = Buffer.from(original.toString('latin1').replaceAll(needed, 'libjanssom.so.4'), 'latin1')
    withNativeModule(broken)
    const said =
      'node_modules/native/addon.node needs libjanssom.so.4, which this machine has not; install it with: apt-get install libjanssom4, and build again'
    await expect(build({ tag: 'missing' })).rejects.toThrow(said)
    await expect(build({ tag: 'missing' })).rejects.toThrow('"build: { packages: [libjanssom4] }"')
  }, 60_000)
})

describe('a workspace', () => {
  const layers = async (tag: string): Promise<string[]> => {
    const { layers: all } = await pulled(tag)
    return (await Promise.all(all.slice(1).map(({ digest }) => namesIn(digest)))).flat()
  }

  test('is built from the lock file at its root, with the members that the service needs and no others', async () => {
    const tarball = (): string => {
      const place = mkdtempSync(join(root, 'library-'))
      writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'library', version: '1.0.0', main: 'i.js' }))
      writeFileSync(join(place, 'i.js'), '')
      execFileSync('npm', ['pack', '--silent'], { cwd: place })
      return `file:${place}/library-1.0.0.tgz`
    }
    put(
      'package.json',
      JSON.stringify({ name: 'all', private: true, workspaces: ['packages/*'], scripts: { prepare: 'exit 1' } }),
    )
    const member = (name: string, more: object): void =>
      put(`packages/${name}/package.json`, JSON.stringify({ name: `@acme/${name}`, version: '1.0.0', ...more }))
    member('api', {
      scripts: { start: 'node main.js', build: 'cp ../lib/out.js seen.js' },
      dependencies: { '@acme/lib': '1.0.0' },
    })
    member('lib', {
      main: 'out.js',
      scripts: { build: 'cp source.js out.js', postinstall: 'exit 1' },
      dependencies: { library: tarball() },
    })
    member('other', {})
    put('packages/api/main.js', "require('@acme/lib')")
    put('packages/lib/source.js', 'console.log(1)')
    put('packages/other/secret.js', '')
    put('.dockerignore', '**/source.js')
    execFileSync('npm', ['install', '--package-lock-only', '--offline', '--ignore-scripts'], { cwd: directory })
    mkdirSync(join(directory, 'node_modules'))
    await build({ directory: join(directory, 'packages/api'), tag: 'member' })
    const names = await layers('member')
    expect(names).toEqual(
      expect.arrayContaining([
        'app/node_modules/@acme/lib',
        'app/node_modules/library/i.js',
        'app/packages/api/main.js',
        'app/packages/api/package.json',
        'app/packages/api/seen.js',
        'app/packages/lib/out.js',
      ]),
    )
    expect(names.filter(name => /other|source/.test(name))).toEqual([])
    expect((await pulled('member')).config.config).toMatchObject({ Cmd: ['main.js'], WorkingDir: '/app/packages/api' })
  }, 60_000)
})

describe('a build script', () => {
  test('runs before the files are packed', async () => {
    mkdirSync(join(directory, 'node_modules'))
    put('package.json', JSON.stringify({ main: 'out.js', scripts: { build: 'cp main.js out.js' } }))
    await build({ tag: 'built' })
    expect(await namesIn((await pulled('built')).layers[1]!.digest)).toContain('app/out.js')
  }, 60_000)

  test.each(['>&2', ''])(
    'that fails ends the build with what it said (echo %s)',
    async stream => {
      mkdirSync(join(directory, 'node_modules'))
      put(
        'package.json',
        JSON.stringify({ main: 'out.js', scripts: { build: `echo "main.ts(1,1): broken" ${stream}; exit 1` } }),
      )
      await expect(build()).rejects.toThrow(/npm run --silent build failed in [\s\S]*main.ts\(1,1\): broken/)
    },
    60_000,
  )
})

test('a registry that is not there is one sentence', async () => {
  await expect(build({ registry: '127.0.0.1:1' })).rejects.toThrow(BuildError)
  await expect(build({ registry: '127.0.0.1:1' })).rejects.toThrow(
    /the registry at 127.0.0.1:1 cannot be reached .*sampan up/,
  )
})
