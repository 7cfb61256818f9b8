// Images of Node.js services as the builder makes them, without a registry. Packages are archives on this machine, so
// that npm asks nobody for them.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { interruptedBy } from '../../../host/interruption.ts'
import { eventually } from '../../../testing/eventually.ts'
import { BuildPlace, fakeProgram, type Built } from '../../../testing/build-place.ts'
import type { BaseImage } from '../base/base-image.ts'
import type { BuildSettings } from '../settings.ts'
import { defaultSettings } from '../settings.ts'
import { nodeBuilder } from './node-builder.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
  service({ scripts: { start: 'node main.js' } })
  place.put('main.js', '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.close()
})

const service = (json: object): void => {
  place.put('package.json', JSON.stringify({ name: 'web', version: '1.0.0', ...json }))
}

const build = (settings: Partial<BuildSettings> = {}, more: Parameters<BuildPlace['build']>[2] = {}): Promise<Built> =>
  place.build(nodeBuilder, settings, more)

/** An archive as npm packs it. @returns what a package.json says of it */
function archive(json: { name: string }, files: Record<string, string> = {}): string {
  const folder = place.folder('archive')
  place.put('package.json', JSON.stringify({ version: '1.0.0', ...json }), 0o644, folder)
  for (const [path, content] of Object.entries(files)) place.put(path, content, 0o755, folder)
  const name = execFileSync('npm', ['pack', '--silent'], { cwd: folder, encoding: 'utf8' }).trim()
  return `file:${join(folder, name)}`
}

const npm = (...args: string[]): void => {
  execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund', '--silent'], { cwd: place.directory })
}

const applicationOf = ({ files, layers }: Built): string[] =>
  [...files].filter(([, { layer, type }]) => layer === layers.length - 1 && type === 'file').map(([path]) => path)

describe('how it is started', () => {
  test('by a program of a package, found by its name', async () => {
    const server = archive({ name: 'server', bin: { serve: './cli.js' } } as never, { 'cli.js': '#!/usr/bin/env node' })
    service({ scripts: { start: 'serve --port 1' }, dependencies: { server } })
    npm('install', '--package-lock-only')
    const first = await build()
    expect(first.config).toMatchObject({
      Entrypoint: ['/usr/local/bin/node'],
      Cmd: ['node_modules/server/cli.js', '--port', '1'],
    })
    expect(first.config.Env).toContain('PATH=/app/node_modules/.bin:/usr/local/bin:/usr/bin:/bin')
    const second = await build()
    expect(second.steps).toContain('dependencies (cached)')
    expect(second.config).toEqual(first.config)
  }, 60_000)

  test('by a shell, where there is one', async () => {
    service({ scripts: { start: 'node main.js --port $PORT' } })
    await expect(build()).rejects.toThrow(/"\$PORT" needs a shell.*"build: \{ shell: true \}"/)
    const built = await build({ shell: true })
    expect(built.config).toMatchObject({ Entrypoint: ['/bin/sh'], Cmd: ['-c', 'node main.js --port $PORT'] })
    expect(built.files.get('bin/sh')?.type).toBe('symlink')
  })

  test('as app.yml says', async () => {
    place.put('other.js', '')
    const { config } = await build({ start: ['node', 'other.js', '1'] })
    expect(config.Cmd).toEqual(['other.js', '1'])
  })

  test.each<[string, () => void, RegExp]>([
    [
      'which nothing makes',
      () => service({ scripts: { start: 'node dist/main.js' } }),
      /would start "node dist\/main\.js", and dist\/main\.js is not in it: there is no such file, and package\.json has no script "build"/,
    ],
    [
      'which the build script does not make',
      () => service({ scripts: { start: 'node dist/main', build: 'true' } }),
      /dist\/main is not in it: the script "build" \(true\) has not made it/,
    ],
    [
      'which .dockerignore leaves out',
      () => {
        service({ scripts: { start: 'node dist/main.js' } })
        place.put('dist/main.js', '')
        place.put('.dockerignore', 'dist')
      },
      /\.dockerignore leaves it out; take it back with a line "!dist\/main\.js", or .*"build: \{ output: dist \}"/,
    ],
    [
      'that reads variables from a file of this machine',
      () => {
        service({ scripts: { start: 'node --env-file=.env main.js' } })
        place.put('.env', 'TOKEN=1')
      },
      /\.env is not in it: variables and secrets of an environment are in app\.yml/,
    ],
  ])('not by a file %s', async (_which, prepare, said) => {
    prepare()
    await expect(build()).rejects.toThrow(said)
  })

  test.each([
    ['node .', 'index.js', {}],
    ['node .', 'lib/server.js', { main: 'lib/server' }],
    ['node dist', 'dist/index.js', {}],
    ['node ./dist/main', 'dist/main.js', {}],
    ['node --env-file-if-exists=.env main.js', 'main.js', {}],
  ])('by "%s" where there is %s', async (start, file, json) => {
    service({ scripts: { start }, ...json })
    place.put(file, '')
    await expect(build()).resolves.toBeDefined()
  })
})

describe('what is in it', () => {
  test('of the service may be a folder that the build makes, and .dockerignore is about the sources', async () => {
    service({ scripts: { start: 'node dist/main.js' } })
    place.put('.dockerignore', 'dist')
    place.put('src/secret.ts', '')
    const run = ['sh', '-c', 'mkdir -p dist/node_modules && touch dist/main.js dist/node_modules/own.js']
    const built = await build({ run, output: './dist/' })
    expect(applicationOf(built)).toEqual(['app/dist/main.js', 'app/dist/node_modules/own.js', 'app/package.json'])
    expect(built.steps).toContain(run.join(' '))
    await expect(build({ output: 'out' })).rejects.toThrow(/expected the folder .*\/out \(build\.output\)/)
  })

  test('is no file of a developer’s machine', async () => {
    const names = ['.npmrc', '.yarnrc.yml', '.env', 'app.yml', 'Dockerfile', '.git/config', 'a.test.ts', '.pnp.cjs']
    for (const name of names) place.put(name, 'secret')
    expect(applicationOf(await build())).toEqual(['app/main.js', 'app/package.json'])
  })

  test('belongs to root, or to whom it is made for', async () => {
    expect((await build()).files.get('app/main.js')?.owner).toBe(0)
    const { files } = await build({}, { owner: 1000 })
    expect(files.get('app/main.js')?.owner).toBe(1000)
    expect(files.get('app')?.owner).toBe(1000)
    expect(files.get('usr/local/bin/node')?.owner).toBe(0)
  })

  test('of dependencies is for production alone, and listed with its licences', async () => {
    const inner = archive({ name: 'inner', license: 'ISC' } as never, { 'index.js': '' })
    const library = archive({ name: '@acme/library', license: 'MIT', dependencies: { inner } } as never)
    service({
      main: 'main.js',
      dependencies: { '@acme/library': library },
      devDependencies: { dev: archive({ name: 'dev' }) },
    })
    npm('install', '--package-lock-only')
    const { components, files } = await build()
    expect(components.filter(({ purl }) => purl.startsWith('pkg:npm/'))).toEqual([
      { name: '@acme/library', version: '1.0.0', purl: 'pkg:npm/%40acme/library@1.0.0', license: 'MIT' },
      { name: 'inner', version: '1.0.0', purl: 'pkg:npm/inner@1.0.0', license: 'ISC' },
    ])
    expect([...files.keys()].filter(path => path.includes('node_modules/dev'))).toEqual([])
    expect(files.has('app/node_modules/.package-lock.json')).toBe(false)
  }, 60_000)

  test('comes from an archive in the project, too', async () => {
    const made = archive({ name: 'vendored' }, { 'index.js': 'here' }).slice('file:'.length)
    place.put('vendor/vendored.tgz', readFileSync(made))
    service({ main: 'main.js', dependencies: { vendored: 'file:vendor/vendored.tgz' } })
    npm('install', '--package-lock-only')
    expect((await build()).files.get('app/node_modules/vendored/index.js')?.content).toBe('here')
  }, 60_000)

  test('is what patch-package makes of it', async () => {
    const library = archive({ name: 'library' }, { 'index.js': 'old' })
    const patcher = archive(
      { name: 'patch-package' },
      {
        'index.js': `require('fs').writeFileSync('node_modules/library/index.js', require('fs').readFileSync('patches/library.patch'))`,
      },
    )
    const scripts = { postinstall: 'patch-package' }
    service({ main: 'main.js', scripts, dependencies: { library }, devDependencies: { 'patch-package': patcher } })
    place.put('patches/library.patch', 'new')
    npm('install', '--package-lock-only', '--ignore-scripts')
    const more = { nodeBinary: process.execPath }
    await expect(build({}, more)).rejects.toThrow(/patch-package is not installed; make it one of "dependencies"/)
    npm('install', '--ignore-scripts')
    expect((await build({}, more)).files.get('app/node_modules/library/index.js')?.content).toBe('new')
    place.put('patches/library.patch', 'newer')
    expect((await build({}, more)).files.get('app/node_modules/library/index.js')?.content).toBe('newer')
  }, 120_000)
})

describe('the build script', () => {
  const compiler = (): string =>
    archive({ name: 'compiler', bin: { compile: './cli.js' } } as never, {
      'cli.js': '#!/usr/bin/env node\nrequire("fs").writeFileSync("main.js", "compiled")',
    })

  test('has all that it needs installed, once', async () => {
    service({ main: 'main.js', scripts: { build: 'compile' }, devDependencies: { compiler: compiler() } })
    await expect(build()).rejects.toThrow(/expected a package-lock\.json, pnpm-lock\.yaml or yarn\.lock/)
    npm('install', '--package-lock-only')
    vi.stubEnv('NODE_ENV', 'production')
    const first = await build()
    expect(first.steps).toContain('npm ci, because there was no node_modules')
    expect(first.files.get('app/main.js')?.content).toBe('compiled')
    expect((await build()).steps.filter(step => step.startsWith('npm'))).toEqual(['npm run build'])
  }, 120_000)

  test('has it installed again when the lock file is another one, and not when only its time is', async () => {
    service({ main: 'main.js', scripts: { build: 'compile' }, devDependencies: { compiler: compiler() } })
    npm('install')
    const later = new Date(Date.now() + 10_000)
    utimesSync(join(place.directory, 'package-lock.json'), later, later)
    expect((await build()).steps.filter(step => step.startsWith('npm'))).toEqual(['npm run build'])
    const lock = join(place.directory, 'node_modules/.package-lock.json')
    const known = JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, { version: string }> }
    known.packages['node_modules/compiler']!.version = '0.9.0'
    writeFileSync(lock, JSON.stringify(known))
    utimesSync(lock, new Date(0), new Date(0))
    expect((await build()).steps).toContain('npm ci, because node_modules was not made of this package-lock.json')
  }, 120_000)

  test('has it installed again when an installation was interrupted', async () => {
    service({ main: 'main.js', scripts: { build: 'true' }, devDependencies: { compiler: '1.0.0' } })
    const packages = { '': {}, 'node_modules/compiler': { version: '1.0.0' } }
    place.put('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages }))
    const programs = place.folder('programs')
    fakeProgram(programs, 'npm', 'mkdir -p node_modules/compiler; sleep 600')
    vi.stubEnv('PATH', `${programs}:${process.env['PATH']}`)
    vi.stubEnv('npm_config_fetch_retries', '0')
    const controller = new AbortController()
    const work = interruptedBy(controller.signal, () => build()).catch((error: unknown) => error)
    const installed = join(place.directory, 'node_modules')
    await eventually('the installation', () => existsSync(installed))
    controller.abort(new Error('enough'))
    expect(await work).toEqual(new Error('enough'))
    expect(existsSync(installed)).toBe(false)
  })

  test('is not run before git has told how the folder is', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- it happens when somebody waits for it, and not before
    const lookedAt = { then: (told: () => void) => (place.put('looked', ''), told()) } as unknown as Promise<void>
    await expect(build({ run: ['test', '-f', 'looked'] }, { lookedAt })).resolves.toBeDefined()
  })

  test('is replaced by what app.yml says, which finds programs as a script does', async () => {
    service({ main: 'main.js', scripts: { build: 'exit 1' }, devDependencies: { compiler: compiler() } })
    npm('install')
    expect((await build({ run: ['compile'] })).files.get('app/main.js')?.content).toBe('compiled')
    await expect(build({ run: ['nothing'] })).rejects.toThrow(/nothing was not found/)
    await expect(build({ run: ['sh', '-c', 'echo broken; exit 1'] })).rejects.toThrow(
      /^sh -c echo broken; exit 1 failed in .*:\nbroken$/,
    )
  }, 120_000)
})

test('two builds at once do not disturb each other', async () => {
  const [first, second] = await Promise.all([build(), build()])
  expect(second.digests).toEqual(first.digests)
  expect((await build()).steps).toContain('base layer (cached)')
})

describe('notes', () => {
  test('say which version of Node.js is asked for and not there', async () => {
    service({ main: 'main.js', engines: { node: '18.x || 20.x' } })
    expect((await build()).notes).toEqual([
      expect.stringMatching(
        /asks for Node\.js 18\.x \|\| 20\.x \("engines"\), and the image has .*"build: \{ base: node:/,
      ),
    ])
    service({ main: 'main.js', engines: { node: '>=20' } })
    expect((await build()).notes).toEqual([])
  })

  test('name what an installation would have run in the project', async () => {
    service({ main: 'main.js', scripts: { postinstall: 'prisma generate', prepare: 'husky' } })
    expect((await build()).notes).toEqual([
      'the script "postinstall" (prisma generate) does not run for the image; what it writes into node_modules is not there',
    ])
  })
})

describe('upon a base image', () => {
  const base = (files: string[], variables: string[] = []): BaseImage => ({
    name: 'debian:12-slim',
    digest: 'sha256:0',
    layers: [],
    config: { Env: ['PATH=/bin', ...variables] },
    has: path => files.includes(path),
  })

  test('its own Node.js is used', async () => {
    const { config, layers } = await build({}, { base: base(['/usr/bin/node'], ['NODE_VERSION=20.1.0']) })
    expect(config).toMatchObject({ Entrypoint: ['/usr/bin/node'], Cmd: ['main.js'] })
    expect(config.Env?.join()).not.toContain('COMPILE_CACHE')
    expect(layers).toHaveLength(1)
  })

  test('that has none, Node.js of this machine is added with its libraries, and a home', async () => {
    const { config, files, layers } = await build(
      {},
      { base: base(['/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/libc.so.6']) },
    )
    expect(config.Entrypoint).toEqual(['/usr/local/bin/node'])
    expect(files.get('usr/local/bin/node')).toBeDefined()
    expect(files.get('home/node')?.mode).toBe(0o777)
    expect([...files.keys()].filter(path => path.endsWith('/libc.so.6'))).toEqual([])
    expect(layers).toHaveLength(3)
  })

  test('that can have none is refused', async () => {
    await expect(build({}, { base: base(['/lib/ld-musl-x86_64.so.1']) })).rejects.toThrow(
      /the base image debian:12-slim has neither Node\.js nor the C library glibc .*node:24-slim$/,
    )
  })
})

describe('a registry that wants credentials', () => {
  test('gets them from the environment, as .npmrc says, and no layer has them', async () => {
    const tarball = readFileSync(archive({ name: 'private' }, { 'index.js': '' }).slice('file:'.length))
    const asked: (string | undefined)[] = []
    const server = createServer(({ headers: { authorization } }, answer) => {
      asked.push(authorization)
      if (authorization === 'Bearer s3cret') answer.end(tarball)
      else answer.writeHead(401).end('{}')
    })
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve)
    })
    try {
      const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`
      place.put('.npmrc', `registry=http://${registry}/\n//${registry}/:_authToken=\${NPM_TOKEN}\nfetch-retries=0\n`)
      service({ main: 'main.js', dependencies: { private: '1.0.0' } })
      const resolved = `http://${registry}/private/-/private-1.0.0.tgz`
      const packages = {
        '': { name: 'web', version: '1.0.0', dependencies: { private: '1.0.0' } },
        'node_modules/private': { version: '1.0.0', resolved },
      }
      place.put('package-lock.json', JSON.stringify({ name: 'web', lockfileVersion: 3, requires: true, packages }))
      vi.stubEnv('npm_config_cache', place.folder('npm-cache'))
      vi.stubEnv('NPM_TOKEN', 'wrong')
      await expect(build()).rejects.toThrow(
        /npm ci .* failed in [\s\S]*the registry wants credentials; write them into \.npmrc/,
      )
      vi.stubEnv('NPM_TOKEN', 's3cret')
      const built = await build()
      expect(asked.at(-1)).toBe('Bearer s3cret')
      expect(built.files.has('app/node_modules/private/index.js')).toBe(true)
      const all = built.layers.map(({ file }) => readFileSync(file, 'latin1')).join('')
      expect([all.includes('s3cret'), all.includes('NPM_TOKEN'), all.includes('_authToken')]).toEqual([
        false,
        false,
        false,
      ])
    } finally {
      server.close()
    }
  }, 60_000)
})

describe('a registry that does not answer', () => {
  const lock = (): void => {
    service({ main: 'main.js', dependencies: { odd: '1.0.0' } })
    const packages = {
      '': { name: 'web', version: '1.0.0', dependencies: { odd: '1.0.0' } },
      'node_modules/odd': { version: '1.0.0', resolved: 'https://registry.npmjs.org/odd/-/odd-1.0.0.tgz' },
    }
    place.put('package-lock.json', JSON.stringify({ name: 'web', lockfileVersion: 3, requires: true, packages }))
  }

  test('is named at once, instead of after a minute', async () => {
    lock()
    place.put('.npmrc', 'registry=http://127.0.0.1:1\n')
    vi.stubEnv('npm_config_cache', place.folder('npm-cache'))
    await expect(build()).rejects.toThrow(
      /^npm ci .* failed in [\s\S]*the registry of packages http:\/\/127\.0\.0\.1:1 cannot be reached.*check the network/,
    )
  }, 20_000)

  test('is not needed for what npm has kept', async () => {
    const tarball = readFileSync(archive({ name: 'odd' }, { 'index.js': '' }).slice('file:'.length))
    const server = createServer((_, answer) => answer.end(tarball)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    lock()
    place.put('.npmrc', `registry=http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
    vi.stubEnv('npm_config_cache', place.folder('npm-cache'))
    try {
      await build()
    } finally {
      server.close()
      server.closeAllConnections()
    }
    const { files, steps } = await build({}, { cacheDirectory: place.folder('cache') })
    expect(steps).toContain('dependencies')
    expect(files.has('app/node_modules/odd/index.js')).toBe(true)
  }, 20_000)
})

describe('the program of a package manager', () => {
  const lock = "lockfileVersion: '9.0'\n\nimporters:\n\n  .: {}\n"

  test('is the one that the project names, where this machine has it', async () => {
    const installed = place.folder('programs')
    place.put('lib/pnpm/package.json', JSON.stringify({ name: 'pnpm', version: '10.1.0' }), 0o644, installed)
    fakeProgram(join(installed, 'lib/pnpm'), 'pnpm', 'echo "$*" > ran')
    mkdirSync(join(installed, 'bin'))
    execFileSync('ln', ['-s', '../lib/pnpm/pnpm', join(installed, 'bin/pnpm')])
    vi.stubEnv('PATH', `${join(installed, 'bin')}:${process.env['PATH']}`)
    service({ main: 'main.js', scripts: { build: 'x' }, packageManager: 'pnpm@10.1.0' })
    place.put('pnpm-lock.yaml', lock)
    mkdirSync(join(place.directory, 'node_modules'))
    expect((await build()).steps).toContain('pnpm run build')
    expect(readFileSync(join(place.directory, 'ran'), 'utf8')).toBe('run build\n')
  })

  test('is the one that is committed with the project', async () => {
    service({ main: 'main.js', scripts: { build: 'x' } })
    place.put('yarn.lock', '__metadata:\n  version: 8\n')
    place.put('.yarnrc.yml', 'yarnPath: .yarn/releases/yarn-4.9.2.cjs\n')
    place.put('.yarn/releases/yarn-4.9.2.cjs', `require('fs').writeFileSync('ran', process.argv.slice(2).join(' '))`)
    mkdirSync(join(place.directory, 'node_modules'))
    await build({}, { nodeBinary: process.execPath })
    expect(readFileSync(join(place.directory, 'ran'), 'utf8')).toBe('run build')
  })

  test('that can be had from nowhere is named with how to install it', async () => {
    vi.stubEnv('npm_config_registry', 'http://127.0.0.1:1')
    vi.stubEnv('npm_config_fetch_retries', '0')
    vi.stubEnv('npm_config_cache', place.folder('npm-cache'))
    service({ main: 'main.js', scripts: { build: 'x' }, packageManager: 'pnpm@10.0.7' })
    place.put('pnpm-lock.yaml', lock)
    await expect(build()).rejects.toThrow(
      /^pnpm 10\.0\.7 is needed for .*, this machine has not got it, and it cannot be fetched; install it with: npm install --global pnpm@10\.0\.7\n[\s\S]*the registry of packages http:\/\/127\.0\.0\.1:1 cannot be reached/,
    )
  })
})

describe('Next.js that leaves a folder of its own', () => {
  beforeEach(() => {
    service({ scripts: { start: 'next start -p 4000' }, dependencies: { next: '15.0.0' } })
    place.put('.next/BUILD_ID', 'one')
    place.put('.next/static/a.js', '')
    place.put('public/robots.txt', '')
    place.put('.next/standalone/.next/BUILD_ID', 'one')
    place.put('.next/standalone/server.js', '')
    place.put('.next/standalone/node_modules/next/package.json', JSON.stringify({ name: 'next', version: '15.0.0' }))
  })

  test('goes into the image instead of all dependencies, with what browsers get', async () => {
    const built = await build()
    expect(applicationOf(built)).toEqual([
      'app/.next/BUILD_ID',
      'app/.next/static/a.js',
      'app/node_modules/next/package.json',
      'app/public/robots.txt',
      'app/server.js',
    ])
    expect(built.config).toMatchObject({ Cmd: ['server.js'], WorkingDir: '/app' })
    expect(built.config.Env).toEqual(expect.arrayContaining(['PORT=4000', 'HOSTNAME=0.0.0.0']))
    expect(built.components.map(({ purl }) => purl)).toContain('pkg:npm/next@15.0.0')
  })

  test('in a workspace lies below the folders of the workspace', async () => {
    place.put('yarn.lock', '# yarn lockfile v1\n')
    place.put('package.json', JSON.stringify({ workspaces: ['apps/*'] }))
    const web = 'apps/web'
    place.put(`${web}/package.json`, JSON.stringify({ name: 'web', scripts: { start: 'next start' } }))
    place.put(`${web}/.next/BUILD_ID`, 'two')
    place.put(`${web}/.next/standalone/${web}/.next/BUILD_ID`, 'two')
    place.put(`${web}/.next/standalone/${web}/server.js`, '')
    const built = await build({}, { directory: join(place.directory, web) })
    expect(built.config).toMatchObject({ Cmd: ['server.js'], WorkingDir: '/app/apps/web' })
    expect(applicationOf(built)).toEqual(['app/apps/web/.next/BUILD_ID', 'app/apps/web/server.js'])
  })

  test('is what comes into a container that is worked on, as the last build made it', () => {
    const goes = (): [string, string][] =>
      nodeBuilder.development!(place.directory, defaultSettings)
        .roots()
        .map(({ from, to }) => [from.slice(place.directory.length), to])
    expect(goes()).toEqual([
      ['/.next/standalone', '/app'],
      ['/.next/static', '/app/.next/static'],
      ['/public', '/app/public'],
    ])
    place.put('.next/BUILD_ID', 'two')
    expect(goes()).toEqual([['', '/app']])
  })

  test('of an earlier build is not taken', async () => {
    place.put('.next/BUILD_ID', 'two')
    await expect(build()).rejects.toThrow(/expected a package-lock\.json/)
    expect(existsSync(join(place.directory, '.next/standalone'))).toBe(true)
  })
})
