// With the Python of this machine, and wheels from a folder instead of an index.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { baseWith, BuildPlace, type Built } from '../../../testing/build-place.ts'
import { writeWheel, type Wheel } from '../../../testing/python-wheel.ts'
import type { BaseImage } from '../base/base-image.ts'
import { defaultSettings, type BuildSettings } from '../settings.ts'
import { pythonBuilder } from './python-builder.ts'

const waitMs = 120_000

/** Layers of the interpreter are kept from one test to the next. */
let place: BuildPlace
let wheels = ''
let greet: Wheel
let directory = ''
beforeAll(() => {
  place = new BuildPlace()
  wheels = place.folder('wheels')
  greet = writeWheel(wheels, 'greet', '1.2.0', {
    'greet/__init__.py': 'TEXT = "hi"\n',
    'greet-1.2.0.dist-info/entry_points.txt': '[console_scripts]\ngreet = greet:main\n',
  })
  writeWheel(wheels, 'gunicorn', '21.0.0', { 'gunicorn/__init__.py': '', 'gunicorn/__main__.py': '' })
  writeWheel(wheels, 'uvicorn', '0.30.0', { 'uvicorn/__init__.py': '' })
  writeWheel(wheels, 'fastapi', '0.110.0', { 'fastapi/__init__.py': '' })
  writeWheel(wheels, 'django', '5.0.0', { 'django/__init__.py': '' })
})
afterAll(() => place.close())
beforeEach(() => {
  directory = place.folder('project')
  vi.stubEnv('PIP_NO_INDEX', '1')
  vi.stubEnv('PIP_FIND_LINKS', wheels)
})
afterEach(() => vi.unstubAllEnvs())

const put = (path: string, content: string): string => place.put(path, content, 0o644, directory)
const build = (settings: Partial<BuildSettings> = {}): Promise<Built> =>
  place.build(pythonBuilder, settings, { directory })
const minor = execFileSync('python3', ['-I', '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'])
  .toString()
  .trim()

describe('a Python project', () => {
  test(
    'has the interpreter, its packages and its own modules in layers',
    async () => {
      put('requirements.txt', `greet==1.2.0 --hash=${greet.hash}\n`)
      put('main.py', 'import greet\nprint(greet.TEXT)\n')
      put('__pycache__/main.pyc', 'old')
      put('.venv/pyvenv.cfg', '')
      const { files, config, digests, steps, components, notes } = await build()
      expect(config).toMatchObject({ User: '1000:1000', Entrypoint: ['python'], Cmd: ['main.py'], WorkingDir: '/app' })
      expect(config.Env).toEqual(
        expect.arrayContaining([
          'PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin',
          'PYTHONUNBUFFERED=1',
          'PYTHONDONTWRITEBYTECODE=1',
          'PORT=8080',
        ]),
      )
      expect(digests).toHaveLength(4)
      expect(steps).toEqual(
        expect.arrayContaining([`Python ${minor}`, 'dependencies', 'started by main.py', 'application']),
      )
      expect(notes).toEqual([])
      const packages = `venv/lib/python${minor}/site-packages`
      expect(files.get(`${packages}/greet/__init__.py`)?.layer).toBe(2)
      expect(files.get('venv/bin/greet')?.content).toMatch(/^#!\/venv\/bin\/python3\n/)
      expect(files.get('app/main.py')?.layer).toBe(3)
      expect(
        [...files.keys()].filter(name => /^app\/(\.venv|__pycache__\/main\.pyc$)|dist-packages/.test(name)),
      ).toEqual([])
      // Flags of a compiled module: 1, checked against its source; 3 without the bit of checking.
      const flags = (path: string): number => Buffer.from(files.get(path)!.content, 'latin1').readUInt32LE(4)
      const tag = `cpython-${minor.replace('.', '')}`
      expect(flags(`app/__pycache__/main.${tag}.pyc`)).toBe(3)
      expect(flags(`${packages}/greet/__pycache__/__init__.${tag}.pyc`)).toBe(1)
      expect(flags(`usr/local/lib/python${minor}/__pycache__/os.${tag}.pyc`)).toBe(1)
      expect(components).toContainEqual({
        name: 'greet',
        version: '1.2.0',
        purl: 'pkg:pypi/greet@1.2.0',
        license: 'MIT',
      })
      expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['python', 'libc6']))
    },
    waitMs,
  )

  test(
    'is the same to the byte when it is built again, elsewhere and later',
    async () => {
      put('requirements.txt', 'greet==1.2.0\n')
      put('app.py', 'x = {"a": 1}\n\ndef f(a, b=2):\n    return [a, b, "text", x]\n')
      put('pkg/__init__.py', 'from app import f\n')
      const first = await build()
      const copy = place.copyOf(directory)
      const second = await place.build(pythonBuilder, {}, { directory: copy, cacheDirectory: place.folder('cache') })
      expect(second.digests).toEqual(first.digests)
      expect(second.config).toEqual(first.config)
    },
    waitMs,
  )

  test(
    'keeps its packages while what says their versions stays the same',
    async () => {
      put('requirements.txt', '-r base.txt\n')
      put('base.txt', 'greet==1.2.0\n')
      put('main.py', '')
      const first = await build()
      put('main.py', 'print(1)')
      const second = await build()
      expect(second.steps).toContain('dependencies (cached)')
      expect(second.digests.slice(0, 3)).toEqual(first.digests.slice(0, 3))
      put('base.txt', 'greet==1.2.0\ngunicorn==21.0.0\n')
      expect((await build()).steps).toContain('dependencies')
    },
    waitMs,
  )

  test(
    'without packages has no layer for them',
    async () => {
      put('main.py', '')
      expect((await build()).digests).toHaveLength(3)
    },
    waitMs,
  )

  test(
    'that does not say which versions is told, and one whose hash is another is refused',
    async () => {
      put('main.py', '')
      put('requirements.txt', 'greet  # newest\n')
      expect((await build()).notes).toEqual([
        'requirements.txt does not say which version of greet; what is kept from before is used until the file changes',
      ])
      put('requirements.txt', `greet==1.2.0 --hash=sha256:${'0'.repeat(64)}\n`)
      await expect(build()).rejects.toThrow(/pip install .* failed in [\s\S]*THESE PACKAGES DO NOT MATCH THE HASHES/)
      put('requirements.txt', 'nowhere==1.0\n')
      await expect(build()).rejects.toThrow(
        /No matching distribution found for nowhere==1.0\nonly wheels are installed/,
      )
    },
    waitMs,
  )
})

describe('a lock file', () => {
  const names = ({ components }: Built): string[] =>
    components.filter(({ purl }) => purl.startsWith('pkg:pypi')).map(({ name }) => name)

  const uvPackage = (name: string, version: string, hash: string, more = ''): string =>
    `[[package]]\nname = "${name}"\nversion = "${version}"\nsource = { registry = "https://pypi.org/simple" }\nwheels = [{ url = "https://x/y.whl", hash = "${hash}" }]\n${more}\n`

  test(
    'of uv is read for production and for this machine',
    async () => {
      put('main.py', '')
      put(
        'pyproject.toml',
        '[project]\nname = "My.Shop"\nversion = "2.0.0"\nrequires-python = ">=3.8"\ndependencies = ["greet"]\n',
      )
      put(
        'uv.lock',
        `version = 1\n\n[[package]]\nname = "my-shop"\nversion = "2.0.0"\nsource = { virtual = "." }\ndependencies = [\n  { name = "greet" },\n  { name = "windows-only", marker = "sys_platform == 'win32'" },\n]\n\n[package.dev-dependencies]\ndev = [{ name = "gunicorn" }]\n\n` +
          uvPackage('greet', '1.2.0', greet.hash) +
          uvPackage('gunicorn', '21.0.0', 'sha256:0') +
          uvPackage('windows-only', '1.0.0', 'sha256:0'),
      )
      expect(pythonBuilder.describe(directory)).toEqual({ name: 'my-shop', version: '2.0.0' })
      expect(names(await build())).toEqual(['greet'])
    },
    waitMs,
  )

  test(
    'of uv with a package from a folder, or for another Python, says so',
    async () => {
      put('main.py', '')
      put('pyproject.toml', '[project]\nname = "shop"\nversion = "1"\n')
      put(
        'uv.lock',
        'version = 1\n\n[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "lib" }]\n\n[[package]]\nname = "lib"\nversion = "1"\nsource = { editable = "../lib" }\n',
      )
      await expect(build()).rejects.toThrow('uv.lock takes lib (editable) from elsewhere than an index of packages')
      put('pyproject.toml', '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=4.1"\n')
      await expect(build()).rejects.toThrow(/needs Python >=4\.1 \(requires-python\), and this machine has 3\./)
    },
    waitMs,
  )

  test(
    'of Poetry is read for production',
    async () => {
      put('main.py', '')
      put(
        'pyproject.toml',
        '[tool.poetry]\nname = "shop"\nversion = "1"\n\n[tool.poetry.dependencies]\npython = "^3.8"\nmiddle = "^1"\n\n[tool.poetry.group.dev.dependencies]\ngunicorn = "*"\n',
      )
      const middle = writeWheel(wheels, 'middle', '1.0.0', { 'middle.py': '' }, ['greet'])
      const locked = (name: string, version: string, hash: string): string =>
        `[[package]]\nname = "${name}"\nversion = "${version}"\noptional = false\nfiles = [{ file = "x.whl", hash = "${hash}" }]\n\n`
      put(
        'poetry.lock',
        `${locked('middle', '1.0.0', middle.hash)}[package.dependencies]\ngreet = ">=1"\nfastapi = { version = "*", optional = true, markers = "extra == 'api'" }\n\n${locked('greet', '1.2.0', greet.hash)}${locked('gunicorn', '21.0.0', 'sha256:0')}${locked('fastapi', '0.110.0', 'sha256:0')}`,
      )
      expect(names(await build())).toEqual(['greet', 'middle'])
    },
    waitMs,
  )

  test(
    'of pipenv is read for production',
    async () => {
      put('main.py', '')
      put('Pipfile', '')
      put(
        'Pipfile.lock',
        JSON.stringify({
          default: { greet: { version: '==1.2.0', hashes: [greet.hash] } },
          develop: { gunicorn: { version: '==21.0.0' } },
        }),
      )
      expect(names(await build())).toEqual(['greet'])
    },
    waitMs,
  )

  test('is demanded where packages are needed', async () => {
    put('main.py', '')
    put('pyproject.toml', '[project]\nname = "shop"\ndependencies = ["greet"]\n')
    await expect(build()).rejects.toThrow(
      /expected uv.lock, poetry.lock, Pipfile.lock or requirements.txt in .*because a build must be repeatable/,
    )
  })
})

test('a changed module is brought to the container, and a changed lock file makes another image', () => {
  put('.dockerignore', 'secret.py')
  const development = pythonBuilder.development!(directory, defaultSettings)
  const [root] = development.roots()
  expect([root?.from, root?.to]).toEqual([directory, '/app'])
  const brought = (path: string): boolean | undefined => root?.filter.includes(path)
  expect(['main.py', 'secret.py', '.venv/x', 'a/test_b.py'].filter(brought)).toEqual(['main.py'])
  expect(development.making).toContain(join(directory, 'uv.lock'))
  expect(development.steps).toEqual([])
  const made = pythonBuilder.development!(directory, { ...defaultSettings, run: ['make'], output: 'out' })
  expect([made.roots()[0]?.from, made.steps]).toEqual([join(directory, 'out'), [{ directory, command: ['make'] }]])
})

test(
  'a base image with another Python is refused, one with the same is built upon',
  async () => {
    put('requirements.txt', 'greet==1.2.0\n')
    put('main.py', '')
    const base = (...paths: string[]): BaseImage => baseWith('python:x', ...paths)
    await expect(place.build(pythonBuilder, {}, { directory, base: base('/usr/local/bin/python3.2') })).rejects.toThrow(
      `the base image python:x has no Python ${minor}, for which this machine installs packages; name one that has, such as python:${minor}-slim`,
    )
    const { digests, files } = await place.build(
      pythonBuilder,
      {},
      { directory, base: base(`/usr/bin/python${minor}`) },
    )
    expect(digests).toHaveLength(2)
    expect(files.get(`venv/bin/python${minor}`)?.target).toBe(`/usr/bin/python${minor}`)
  },
  waitMs,
)
