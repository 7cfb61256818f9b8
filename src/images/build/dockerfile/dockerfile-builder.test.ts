// With buildah and a real registry. BuildKit needs a daemon: programs that pretend to be it say what they were asked.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../../host/cluster-programs.ts'
import { BuildPlace, fakeProgram, type Built } from '../../../testing/build-place.ts'
import { RegistryClient } from '../../client/registry-client.ts'
import { startRegistry, type Registry } from '../../registry/registry.ts'
import { buildImage } from '../build-image.ts'
import { commandBuilder } from '../command/command-builder.ts'
import { defaultSettings, type BuildSettings } from '../settings.ts'
import { dockerfileBuilder } from './dockerfile-builder.ts'

const waitMs = 120_000
let place: BuildPlace
let directory = ''
let registry: Registry
beforeAll(async () => {
  place = new BuildPlace()
  registry = await startRegistry({ directory: place.folder('registry'), host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await registry.close()
  place.close()
})
beforeEach(() => {
  directory = place.folder('project')
})
afterEach(() => vi.unstubAllEnvs())

const put = (path: string, content: string | Buffer, mode = 0o644): string => place.put(path, content, mode, directory)
const build = (settings: Partial<BuildSettings> = {}, folder = directory): Promise<Built> =>
  place.build(dockerfileBuilder, settings, { directory: folder, registry: `127.0.0.1:${registry.port}` })

/** A static shell, so that commands run in an image that begins with nothing. */
const withShell = (...lines: string[]): void => {
  put('busybox', readFileSync('/bin/busybox'), 0o755)
  put('Dockerfile', ['FROM scratch AS shell', 'COPY busybox /bin/sh', ...lines].join('\n'))
}

const missing = findProgram('buildah') === undefined
const skipped = missing ? ' (skipped: there is no buildah; apt-get install buildah)' : ''

describe.skipIf(missing)(`a Dockerfile by buildah${skipped}`, () => {
  test(
    'becomes the image that it describes',
    async () => {
      put(
        'Dockerfile',
        'FROM scratch\nARG VERSION=0\nCOPY . /srv/\nENV VERSION=$VERSION\nUSER 1000\nWORKDIR /srv\nENTRYPOINT ["/srv/run"]\nCMD ["a"]\nEXPOSE 80\nLABEL team=shop\n',
      )
      put('run', 'x', 0o755)
      put('secret.txt', 'x')
      put('.dockerignore', 'secret.txt\n')
      const { files, config, layers, notes, steps } = await build({ args: { VERSION: '7' } })
      expect(config).toMatchObject({
        User: '1000',
        Entrypoint: ['/srv/run'],
        Cmd: ['a'],
        WorkingDir: '/srv',
        ExposedPorts: { '80/tcp': {} },
        Labels: { team: 'shop' },
      })
      expect(config.Env).toContain('VERSION=7')
      expect(files.get('srv/run')).toMatchObject({ mode: 0o755, content: 'x' })
      expect(files.has('srv/secret.txt')).toBe(false)
      expect(layers.every(({ mediaType, digest, diffId }) => mediaType.endsWith('.tar') && digest === diffId)).toBe(
        true,
      )
      expect(notes).toEqual([])
      expect(steps).toEqual(['Dockerfile by buildah'])
    },
    waitMs,
  )

  test(
    'is the same to the byte when it is built again, elsewhere, later and without what was kept',
    async () => {
      put('Dockerfile', 'FROM scratch\nCOPY run /\nUSER 1000\n')
      put('run', 'x', 0o755)
      const first = await build()
      const copy = place.copyOf(directory)
      const second = await place.build(
        dockerfileBuilder,
        {},
        { directory: copy, cacheDirectory: place.folder('cache') },
      )
      expect(second.digests).toEqual(first.digests)
      expect(second.config).toEqual(first.config)
    },
    waitMs,
  )

  test(
    'runs commands, with secrets that stay out of the image, and keeps what did not change',
    async () => {
      withShell(
        'RUN --mount=type=secret,id=token --mount=type=secret,id=file read a < /run/secrets/token; read b < /run/secrets/file; echo "$a $b ${#a}" > /seen; echo run >> /count',
        'COPY later /later',
      )
      put('later', '1')
      put('token.txt', 'from-file\n')
      vi.stubEnv('SHOP_TOKEN', 'from-environment')
      const settings = { secrets: { token: { variable: 'SHOP_TOKEN' }, file: { file: 'token.txt' } } }
      put('.dockerignore', 'token.txt')
      const first = await build(settings)
      expect(first.files.get('seen')?.content).toBe('from-environment from-file 16\n')
      expect([...first.files.keys()].filter(name => name.startsWith('run/secrets/'))).toEqual([])
      expect(first.notes).toEqual([
        'Dockerfile names no user other than root; let it end with USER 1000, or say "root: true" in app.yml',
      ])
      put('later', '2')
      const second = await build(settings)
      expect(second.digests.slice(0, 2)).toEqual(first.digests.slice(0, 2))
      expect(second.files.get('later')?.content).toBe('2')
    },
    waitMs,
  )

  test(
    'goes as far as the stage that is asked for',
    async () => {
      put('other.dockerfile', 'FROM scratch AS one\nCOPY a /a\nFROM one AS two\nCOPY b /b\n')
      put('a', '1')
      put('b', '1')
      const settings = { dockerfile: 'other.dockerfile', target: 'one' }
      expect([...(await build(settings)).files.keys()]).toEqual(['a'])
      expect((await build({ ...settings, target: 'two' })).files.has('b')).toBe(true)
      await expect(build({ ...settings, target: 'three' })).rejects.toThrow(
        'other.dockerfile has no stage "three" (build.target); there is one, two',
      )
      expect(dockerfileBuilder.finds(directory, { ...defaultSettings, ...settings })).toBe('other.dockerfile')
      await expect(build()).rejects.toThrow(`expected Dockerfile or Containerfile in ${directory}, but there is none`)
    },
    waitMs,
  )

  test(
    'begins with an image that was built before',
    async () => {
      const before = place.folder('before')
      place.put('x.txt', 'from before', 0o644, before)
      await buildImage({
        directory: before,
        builder: commandBuilder,
        settings: { ...defaultSettings, start: ['true'] },
        repository: 'team/before',
        tag: '1.0.0',
        registry: `127.0.0.1:${registry.port}`,
        connect: (address, repository) => new RegistryClient(address, repository),
        tool: 'test',
        cacheDirectory: place.cacheDirectory,
        nodeBinary: '/bin/true',
        progress: () => {},
        note: () => {},
      })
      put('Dockerfile', 'FROM sampan.local/team/before:1.0.0\nCOPY y.txt /app/\n')
      put('y.txt', '')
      const { files, config } = await build()
      expect(files.get('app/x.txt')?.content).toBe('from before')
      expect(files.has('app/y.txt')).toBe(true)
      expect(config).toMatchObject({ User: '1000:1000', WorkingDir: '/app' })
    },
    waitMs,
  )
})

describe.skipIf(missing)(`what is wrong with a Dockerfile is told with its place${skipped}:`, () => {
  test(
    'an instruction that there is not',
    async () => {
      put('Dockerfile', 'FROM scratch\n\nCOPPY a /a\n')
      await expect(build()).rejects.toThrow(
        new RegExp(`^buildah could not build ${directory}/Dockerfile, line 3:\n[\\s\\S]*Unknown instruction: "COPPY"$`),
      )
    },
    waitMs,
  )

  test(
    'a file that is not there',
    async () => {
      put('Dockerfile', 'FROM scratch\nCOPY nothing /a\n')
      await expect(build()).rejects.toThrow(/Dockerfile, line 2:\n[\s\S]*"\/nothing": no such file or directory/)
    },
    waitMs,
  )

  test(
    'a command that fails, with what it said last',
    async () => {
      // All in one stream: nobody keeps the order of two.
      withShell(
        'RUN exec >&2; for line in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo "line $line"; done; echo broken; exit 3',
      )
      const failing = build()
      await expect(failing).rejects.toThrow(/Dockerfile, line 3:\n[\s\S]*line 16\nbroken\n[\s\S]*exit status 3/)
      await expect(failing).rejects.not.toThrow(/line 1\n/)
    },
    waitMs,
  )

  test(
    'an image that cannot be had',
    async () => {
      put('Dockerfile', 'FROM sampan.local/team/nothing:9\n')
      await expect(build()).rejects.toThrow(/buildah could not build .*Dockerfile[\s\S]*team\/nothing/)
    },
    waitMs,
  )

  test('secrets that there are not', async () => {
    put('Dockerfile', 'FROM scratch\n')
    await expect(build({ secrets: { token: { variable: 'NO_SUCH_TOKEN' } } })).rejects.toThrow(
      'the secret "token" of the build comes from the environment variable NO_SUCH_TOKEN, which is not set; set it, or name a file with build.secrets.token.file',
    )
    await expect(build({ secrets: { token: { file: 'gone' } } })).rejects.toThrow(
      `the secret "token" of the build comes from the file ${directory}/gone, which is not there`,
    )
  })

  test('fields that say nothing beside it', async () => {
    put('Dockerfile', 'FROM scratch\n')
    await expect(build({ packages: ['a'], shell: true, start: ['x'] })).rejects.toThrow(
      'build has packages, shell, start, which says nothing where a Dockerfile makes the image; write it there, or take it away',
    )
  })
})

describe.skipIf(missing)(`BuildKit, or buildah where it cannot be reached${skipped}`, () => {
  /** Writes an archive as BuildKit does, and what it was asked, one argument a line. */
  function pretend(program: string, answers: string): string {
    const folder = place.folder('programs')
    const asked = join(folder, 'asked')
    const layout = place.folder('layout')
    const blob = (content: string): { digest: string; size: number } => {
      // The names of blobs are what counts here.
      const digest = `sha256:${Buffer.from(content).toString('hex').slice(0, 64).padEnd(64, '0')}`
      place.put(`blobs/sha256/${digest.slice(7)}`, content, 0o644, layout)
      return { digest, size: content.length }
    }
    const config = blob(JSON.stringify({ config: { User: '1000', Cmd: ['/x'] }, rootfs: { diff_ids: ['sha256:abc'] } }))
    const manifest = blob(JSON.stringify({ layers: [], config: { ...config, mediaType: 'c' } }))
    writeFileSync(join(layout, 'index.json'), JSON.stringify({ manifests: [manifest] }))
    fakeProgram(
      folder,
      program,
      `case "$*" in ${answers} esac
printf '%s\\n' "$@" > ${asked}
[ -z "$FAKE_FAILS" ] || { echo "$FAKE_FAILS" >&2; exit 1; }
out=$(printf '%s' "$*" | sed 's/.*dest=\\([^,]*\\),.*/\\1/')
tar -C ${layout} -cf "$out" index.json blobs`,
    )
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`)
    put('Dockerfile', 'FROM scratch AS one\n')
    return asked
  }

  const settings: Partial<BuildSettings> = {
    args: { A: '1' },
    target: 'one',
    secrets: { token: { file: 'token' } },
  }

  test(
    'is asked by buildctl where its daemon answers',
    async () => {
      const asked = pretend('buildctl', '"debug workers") exit 0;;')
      put('token', 'x')
      const { config, steps } = await build(settings)
      expect(config).toEqual({ User: '1000', Cmd: ['/x'] })
      expect(steps).toEqual(['Dockerfile by BuildKit'])
      const lines = readFileSync(asked, 'utf8').trim().split('\n')
      expect(lines).toEqual([
        'build',
        '--progress=plain',
        '--frontend=dockerfile.v0',
        `--local=context=${directory}`,
        `--local=dockerfile=${directory}`,
        '--opt=filename=Dockerfile',
        '--opt=target=one',
        '--opt=build-arg:A=1',
        '--opt=build-arg:SOURCE_DATE_EPOCH=0',
        `--secret=id=token,src=${directory}/token`,
        expect.stringMatching(/^--output=type=oci,dest=.*,rewrite-timestamp=true$/),
      ])
    },
    waitMs,
  )

  test(
    'is asked by docker where its builder gives images away',
    async () => {
      const asked = pretend('docker', '"buildx inspect"*) echo "Driver: docker-container"; exit 0;;')
      vi.stubEnv('TOKEN', 'x')
      const { steps } = await build({ ...settings, secrets: { token: { variable: 'TOKEN' } } })
      expect(steps).toEqual(['Dockerfile by docker buildx'])
      const lines = readFileSync(asked, 'utf8')
      expect(lines).toMatch(/^buildx\nbuild\n/)
      expect(lines).toMatch(/--build-arg=A=1\n--secret=id=token,env=TOKEN\n/)
    },
    waitMs,
  )

  test.each([
    ['buildctl', '"debug workers") echo "no daemon" >&2; exit 1;;'],
    [
      'docker',
      '"buildx inspect"*) echo "Driver: docker"; exit 0;; "info"*) echo "[[Backing Filesystem extfs]]"; exit 0;;',
    ],
  ])(
    '%s that cannot is passed over',
    async (program, answers) => {
      pretend(program, answers)
      expect((await build()).steps).toEqual(['Dockerfile by buildah'])
    },
    waitMs,
  )

  test(
    'that fails tells the line',
    async () => {
      pretend('buildctl', '"debug workers") exit 0;;')
      vi.stubEnv('FAKE_FAILS', 'Dockerfile:7\n>>> RUN false\nerror: failed to solve')
      await expect(build()).rejects.toThrow(
        `BuildKit could not build ${directory}/Dockerfile, line 7:\nDockerfile:7\n>>> RUN false\nerror: failed to solve`,
      )
    },
    waitMs,
  )
})
