// The tools of the field against the registry: skopeo, buildah and docker, in a network namespace of their own.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/images/registry/digest.ts'
import { exportImages } from '../../src/images/oci/export-image.ts'
import { RegistryClient } from '../../src/images/client/registry-client.ts'
import { RegistryContent } from '../../src/images/client/registry-content.ts'
import { busyboxImage } from '../../src/testing/busybox-image.ts'
import { NetworkNamespace, repository, succeeded, type Result } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'
import { RegistryFixture } from '../../src/testing/registry-fixture.ts'

const isRoot = process.getuid?.() === 0

describe.skipIf(!isRoot)(`tools${isRoot ? '' : ' (skipped: namespaces need root)'}`, () => {
  let namespace: NetworkNamespace
  let directory: string
  let server: ChildProcess
  let address: string
  const children: ChildProcess[] = []
  const file = (name: string): string => join(directory, name)

  function start(program: string, args: readonly string[]): ChildProcess {
    const [command, all] = namespace.command(program, args)
    const child = spawn(command, all, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: directory, TMPDIR: directory, REGISTRY_AUTH_FILE: file('auth.json') },
    })
    children.push(child)
    return child
  }
  async function run(program: string, ...args: string[]): Promise<Result> {
    const child = start(program, args)
    const closed = once(child, 'close')
    const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)])
    return { out, err, code: ((await closed) as [number | null])[0] }
  }
  const done = async (program: string, ...args: string[]): Promise<string> => succeeded(await run(program, ...args)).out

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sampan-tools-'))
    writeFileSync(file('auth.json'), '{}')
    namespace = new NetworkNamespace(`tools-${process.pid}`)
    server = start(process.execPath, [join(repository, 'test/e2e/processes/registry-server.ts'), file('registry')])
    const [port] = (await once(server.stdout!, 'data')) as [Buffer]
    address = `127.0.0.1:${String(port).trim()}`
    // As `sampan images export` writes it.
    const source = await RegistryFixture.start()
    const { manifest, config, layers } = await busyboxImage()
    for (const { content } of [config, ...layers]) await source.pushBlob('busybox', content)
    await source.pushManifest('busybox', '1', manifest.content.toString())
    await exportImages(
      new RegistryContent(`127.0.0.1:${source.port}`, name => new RegistryClient(`127.0.0.1:${source.port}`, name)),
      [{ repository: 'busybox', reference: '1', name: 'sampan.local/busybox:1' }],
      file('busybox.tar'),
    )
    await source.close()
  })
  afterAll(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL')
    namespace.close()
    rmSync(directory, { recursive: true, force: true })
  })

  describe('skopeo', () => {
    const plain = ['--tls-verify=false']
    const from = (name: string): string => `docker://${address}/${name}`
    const copy = (source: string, target: string, ...more: string[]): Promise<string> =>
      done(
        'skopeo',
        'copy',
        '--insecure-policy',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        ...more,
        source,
        target,
      )
    interface Inspected {
      readonly Digest: string
      readonly RepoTags: readonly string[]
      readonly Layers: readonly string[]
    }
    const inspect = async (name: string): Promise<Inspected> =>
      JSON.parse(await done('skopeo', 'inspect', ...plain, from(name))) as Inspected

    test('copies archives in, of both kinds, and between repositories', async () => {
      await copy(`oci-archive:${file('busybox.tar')}`, from('team/oci:1'))
      await copy(`docker-archive:${file('busybox.tar')}`, from('team/docker:1'))
      await copy(from('team/oci:1'), from('team/copy:1'))
      const [oci, second] = [await inspect('team/oci:1'), await inspect('team/copy:1')]
      expect(second.Digest).toBe(oci.Digest)
      expect((await inspect('team/docker:1')).Layers).toHaveLength(oci.Layers.length)
    })

    test('copies out: to a layout, to an archive of docker, to a folder', async () => {
      await copy(from('team/oci:1'), `oci:${file('layout')}:1`)
      await copy(from('team/oci:1'), `docker-archive:${file('out.tar')}:web:1`)
      await copy(from('team/oci:1'), `dir:${file('folder')}`)
      const manifest = readFileSync(join(file('folder'), 'manifest.json'))
      expect(digestOf(manifest)).toBe((await inspect('team/oci:1')).Digest)
      await copy(`docker-archive:${file('out.tar')}`, from('team/back:1'))
    })

    test('copies a docker manifest, whose type stays', async () => {
      await copy(from('team/oci:1'), from('team/v2s2:1'), '--format', 'v2s2')
      const raw = JSON.parse(await done('skopeo', 'inspect', '--raw', ...plain, from('team/v2s2:1'))) as object
      expect(raw).toMatchObject({ mediaType: 'application/vnd.docker.distribution.manifest.v2+json' })
    })

    test('lists tags and deletes images', async () => {
      await copy(from('team/oci:1'), from('team/oci:2'))
      const tags = async (): Promise<unknown> =>
        JSON.parse(await done('skopeo', 'list-tags', ...plain, from('team/oci')))
      expect(await tags()).toMatchObject({ Tags: ['1', '2'] })
      await copy(from('team/oci:1'), from('team/gone:1'))
      await done('skopeo', 'delete', ...plain, from('team/gone:1'))
      expect((await run('skopeo', 'inspect', ...plain, from('team/gone:1'))).err).toMatch(/manifest unknown|no image/i)
    })
  })

  describe('buildah', () => {
    const buildah = (...args: string[]): Promise<string> =>
      done('buildah', '--root', file('storage'), '--runroot', file('storage-run'), '--storage-driver', 'vfs', ...args)
    const place = (name: string): string => `docker://${address}/${name}`

    test('pushes what it made, and pulls it', async () => {
      writeFileSync(file('hello'), 'hello')
      const container = (await buildah('from', 'scratch')).trim()
      await buildah('copy', container, file('hello'), '/hello')
      await buildah('commit', '--quiet', container, 'made')
      await buildah('push', '--tls-verify=false', 'made', place('built/made:1'))
      await buildah('rmi', '--all', '--force')
      const pulled = (await buildah('pull', '--tls-verify=false', place('built/made:1'))).trim()
      expect(pulled).toMatch(/^[0-9a-f]{64}$/)
      const again = (await buildah('from', '--pull-never', pulled)).trim()
      await buildah('copy', '--from', again, again, '/hello', '/copy')
    })

    test('pushes an index with all its images', async () => {
      await buildah('pull', '--tls-verify=false', place('built/made:1'))
      await buildah('manifest', 'create', 'all')
      await buildah('manifest', 'add', '--tls-verify=false', 'all', place('built/made:1'))
      await buildah('manifest', 'push', '--all', '--tls-verify=false', 'all', place('built/all:1'))
      const inspected = await done('skopeo', 'inspect', '--raw', '--tls-verify=false', place('built/all:1'))
      expect(JSON.parse(inspected)).toMatchObject({ manifests: [{ digest: expect.stringMatching(/^sha256:/) }] })
    })

    test('goes through a build with layers kept in the registry', async () => {
      writeFileSync(file('Dockerfile'), `FROM ${address}/built/made:1\nCOPY hello /second\n`)
      const tag = `${address}/built/second:1`
      await buildah('build', '--quiet', '--layers', '--tls-verify=false', '--isolation', 'chroot', '-t', tag, directory)
      await buildah('push', '--tls-verify=false', tag)
    })
  })

  const hasDocker = spawnSync('dockerd', ['--version']).status === 0
  describe.skipIf(!hasDocker)(`docker${hasDocker ? '' : ' (skipped: apt-get install docker.io)'}`, () => {
    let daemon: ChildProcess
    const docker = (...args: string[]): Promise<string> =>
      done('docker', '-H', `unix://${file('docker.sock')}`, ...args)
    const hadRunFolder = existsSync('/run/docker')

    beforeAll(async () => {
      const off = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false']
      const places = ['--data-root', file('docker'), '--exec-root', file('docker-run'), '--pidfile', file('docker.pid')]
      daemon = start('dockerd', [...off, ...places, '-H', `unix://${file('docker.sock')}`, '--storage-driver', 'vfs'])
      daemon.stdout!.resume()
      daemon.stderr!.resume()
      await eventually(
        'dockerd answers',
        async () => (await run('docker', '-H', `unix://${file('docker.sock')}`, 'version')).code === 0,
        30_000,
      )
    })
    afterAll(async () => {
      const ended = once(daemon, 'close')
      process.kill(Number(readFileSync(file('docker.pid'), 'utf8')), 'SIGTERM')
      await ended
      if (!hadRunFolder) rmSync('/run/docker', { recursive: true, force: true })
    })

    test('loads what sampan images export wrote', async () => {
      expect(await docker('load', '-i', file('busybox.tar'))).toContain('Loaded image: sampan.local/busybox:1')
    })

    test('pushes, and pulls by tag and by digest', async () => {
      const name = `${address}/docker/busybox`
      await docker('tag', 'sampan.local/busybox:1', `${name}:1`)
      const [, digest] = /digest: (sha256:\w{64})/.exec(await docker('push', `${name}:1`))!
      // What is there already is mounted or left alone.
      await docker('tag', 'sampan.local/busybox:1', `${address}/docker/second:1`)
      expect(await docker('push', `${address}/docker/second:1`)).toMatch(
        /Mounted from docker\/busybox|Layer already exists/,
      )
      await docker('image', 'rm', `${name}:1`)
      await docker('pull', `${name}@${digest}`)
      expect(await docker('pull', '--all-tags', name)).toContain(`Digest: ${digest}`)
    })

    test('inspects a manifest in the registry', async () => {
      const inspected = await docker('manifest', 'inspect', '--insecure', `${address}/docker/busybox:1`)
      expect(JSON.parse(inspected)).toMatchObject({ schemaVersion: 2 })
    })

    test('builds from an image of the registry', async () => {
      writeFileSync(file('Dockerfile'), `FROM ${address}/docker/busybox:1\nLABEL made=here\n`)
      writeFileSync(file('.dockerignore'), '*\n')
      await docker('build', '-q', '-t', `${address}/docker/made:1`, directory)
      await docker('push', `${address}/docker/made:1`)
    })
  })
})
