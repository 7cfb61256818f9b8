// The registry of clusters, with real pods and real tools: images of other registries come once for two clusters of a
// machine and while those are away; pods and kept releases keep their images; others reach it with a login; and
// `sampan images` shows and changes what is there.
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/images/registry/digest.ts'
import {
  ClusterFixture,
  readText,
  reasonToSkipCluster,
  repository,
  succeeded,
  type NetworkNamespace,
  type Result,
} from '../../src/testing/cluster-fixture.ts'

const reason = reasonToSkipCluster()

interface ListedImage {
  readonly name: string
  readonly tag: string
  readonly digest: string
}

describe.skipIf(reason !== undefined)(`registries${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let one: ClusterFixture
  let two: ClusterFixture
  let beside: NetworkNamespace
  beforeAll(async () => {
    one = new ClusterFixture('registry')
    beside = one.namespace.neighbour()
    two = new ClusterFixture('registry2', one.namespace)
    two.imageCache = one.imageCache
    succeeded(await one.up('--api-port', '0', '--registry-listen', '192.0.2.1:5443'))
    succeeded(await two.up('--api-port', '0'))
  })
  afterAll(async () => {
    beside?.close()
    await two?.close()
    await one?.close()
  })

  async function runPod(cluster: ClusterFixture, name: string, image: string, spec: object = {}): Promise<void> {
    const main = { name: 'main', image, command: ['sleep', '3600'], imagePullPolicy: 'Always' }
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [main], terminationGracePeriodSeconds: 0, ...spec },
    }
    succeeded(await cluster.kubectlWith(pod, 'create'))
    const ready = await cluster.kubectl('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=40s')
    if (ready.code !== 0) throw new Error(`${ready.err}${(await cluster.kubectl('describe', 'pod', name)).out}`)
  }

  describe('images of another registry', () => {
    let foreign: ChildProcess
    let lines: AsyncIterator<string>
    let reader: Interface
    let name = ''
    const said = async (): Promise<string> => (await lines.next()).value as string
    const asked = async (): Promise<string[]> => {
      foreign.stdin!.write('asked\n')
      return JSON.parse(await said()) as string[]
    }
    beforeAll(async () => {
      foreign = one.spawn(process.execPath, [join(repository, 'test/e2e/processes/foreign-registry.ts')])
      reader = createInterface({ input: foreign.stdout! })
      lines = reader[Symbol.asyncIterator]()
      name = await said()
    })
    afterAll(() => reader.close())

    test('are fetched once for both clusters', async () => {
      await runPod(one, 'web', `${name}/library/web:1`)
      await runPod(two, 'web', `${name}/library/web:1`)
      const contents = (await asked()).filter(line => line.startsWith('GET '))
      expect(contents).toHaveLength(3)
      expect(new Set(contents).size).toBe(3)
    })

    test('that take a password are given to pods that have it, and to no others', async () => {
      const refused = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stranger' } }
      const containers = [{ name: 'main', image: `${name}/private/web:1`, command: ['sleep', '3600'] }]
      succeeded(
        await one.kubectl(
          'create',
          'secret',
          'docker-registry',
          'login',
          `--docker-server=${name}`,
          '--docker-username=me',
          '--docker-password=secret',
        ),
      )
      await runPod(one, 'private', `${name}/private/web:1`, { imagePullSecrets: [{ name: 'login' }] })
      // It is kept here now, and yet not for everybody: two knows no password.
      succeeded(await two.kubectlWith({ ...refused, spec: { containers } }, 'create'))
      const path = 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'
      const reasonOf = await two.kubectl(
        'wait',
        '--timeout=40s',
        `--for=${path}=ErrImagePull`,
        'pod/stranger',
        '-o',
        'name',
      )
      expect(reasonOf).toMatchObject({ code: 0 })
    })

    test('are there while it is away', async () => {
      foreign.stdin!.write('away\n')
      expect(await said()).toBe('gone')
      succeeded(await two.kubectl('delete', 'pod', 'web', '--now'))
      await runPod(two, 'web', `${name}/library/web:1`)
    })
  })

  describe('sampan images', () => {
    const images = (...args: string[]): Promise<Result> => one.sampan('images', ...args, '--name', one.name)
    const listed = async (): Promise<ListedImage[]> =>
      JSON.parse(succeeded(await images('list', '-o', 'json')).out) as ListedImage[]
    const tags = async (): Promise<string[]> => (await listed()).map(image => `${image.name}:${image.tag}`)
    beforeAll(async () => {
      await one.pushBusybox('1', '2')
    })

    test('list and inspect', async () => {
      expect(await tags()).toEqual(['busybox:1', 'busybox:2'])
      expect(succeeded(await images('list')).out).toMatch(
        /^NAME +TAG +DIGEST +SIZE\nbusybox +1 +sha256:\w{12} +[\d.]+ MB\n/,
      )
      const { out } = succeeded(await images('inspect', 'sampan.local/busybox:1'))
      expect(out).toMatch(/^image +sampan.local\/busybox:1\ndigest +sha256:\w{64}\n/)
      expect(out).toMatch(/\nstarts +\["sh"\]\n/)
      const facts = JSON.parse(succeeded(await images('inspect', 'busybox:1', '-o', 'json')).out) as object
      expect(facts).toMatchObject({
        image: 'sampan.local/busybox:1',
        platforms: ['linux/amd64'],
        architecture: 'amd64',
      })
    })

    test('tell what there is instead of what is not', async () => {
      expect(await images('inspect', 'busybox')).toMatchObject({
        code: 1,
        err: expect.stringContaining('busybox has several tags; name one of them: 1, 2'),
      })
      expect(await images('inspect', 'busybox:3')).toMatchObject({
        code: 1,
        err: expect.stringContaining('there is no busybox:3 in this registry; busybox has the tags 1, 2'),
      })
      expect(await images('rm', 'nobody:1')).toMatchObject({
        code: 1,
        err: expect.stringContaining('there is no image nobody in this registry'),
      })
    })

    test('export and import: the other cluster has the same image then', async () => {
      const file = join(one.directory, 'busybox.tar')
      succeeded(await images('export', 'busybox:1', file))
      succeeded(await two.sampan('images', 'import', file, '--name', two.name))
      const [image] = JSON.parse(
        succeeded(await two.sampan('images', 'list', '--name', two.name, '-o', 'json')).out,
      ) as ListedImage[]
      expect(image).toEqual((await listed())[0])
      await runPod(two, 'imported', 'sampan.local/busybox:1')
      succeeded(await two.sampan('images', 'import', file, '--name', two.name, '--tag', 'other:2'))
      expect(succeeded(await two.sampan('images', 'inspect', 'other:2', '--name', two.name)).out).toContain(
        image!.digest,
      )
    })

    test('rm, and prune, which leaves what a pod runs and what was pushed lately', async () => {
      const push = async (tag: string): Promise<string> => {
        const file = join(one.directory, `${tag}.tar`)
        const archive = join(one.directory, `${tag}-files`)
        mkdirSync(archive)
        succeeded(await one.run('cp', ['/bin/busybox', join(archive, 'sleep')]))
        succeeded(await one.run('tar', ['-cf', join(archive, 'layer.tar'), '-C', archive, 'sleep']))
        const rootfs = { type: 'layers', diff_ids: [digestOf(readFileSync(join(archive, 'layer.tar')))] }
        const config = { os: 'linux', architecture: 'amd64', author: tag, rootfs }
        writeFileSync(join(archive, 'config.json'), JSON.stringify(config))
        const entry = { Config: 'config.json', RepoTags: [`kept:${tag}`], Layers: ['layer.tar'] }
        writeFileSync(join(archive, 'manifest.json'), JSON.stringify([entry]))
        succeeded(await one.run('tar', ['-cf', file, '-C', archive, 'config.json', 'layer.tar', 'manifest.json']))
        succeeded(await images('import', file))
        return (await listed()).find(image => image.tag === tag)!.digest
      }
      const [running, unused] = [await push('running'), await push('unused')]
      const spec = {
        containers: [{ name: 'main', image: `sampan.local/kept@${running}`, command: ['/sleep', '3600'] }],
      }
      await runPod(one, 'kept', '', spec)
      succeeded(await images('rm', 'kept:running', 'kept:unused'))
      expect(succeeded(await images('prune', '-o', 'json')).out).toContain('"images":[]')
      // As if an hour had gone by.
      succeeded(await one.down('--timeout', '0'))
      const place = join(one.dataDirectory, 'registry')
      for (const path of readdirSync(place, { recursive: true }).map(String))
        if (statSync(join(place, path)).isFile()) utimesSync(join(place, path), 0, 0)
      succeeded(await one.up('--api-port', '0', '--registry-listen', '192.0.2.1:5443'))
      const dry = succeeded(await images('prune', '--dry-run'))
      expect(dry.out).toBe(`would remove kept@${unused}\n`)
      expect(dry.err).toContain('would be free: 1 images without a tag that nothing uses')
      expect(succeeded(await images('prune')).out).toBe(`removed kept@${unused}\n`)
      expect(await images('inspect', `kept@${unused}`)).toMatchObject({ code: 1 })
      expect(succeeded(await images('inspect', `kept@${running}`)).out).toContain(running)
      expect(await tags()).toEqual(['busybox:1', 'busybox:2'])
    })
  })

  describe('from another machine', () => {
    const place = '192.0.2.1:5443'
    let certificates = ''
    const skopeo = (...args: string[]): Promise<Result> =>
      one.run('skopeo', args, {
        namespace: beside,
        environment: { REGISTRY_AUTH_FILE: join(one.directory, 'auth.json'), HOME: one.directory },
      })
    beforeAll(async () => {
      certificates = join(one.directory, 'certificates')
      mkdirSync(certificates)
      const authority = await one.show(
        'get',
        'configmap',
        'kube-root-ca.crt',
        '-n',
        'kube-system',
        '-o',
        'jsonpath={.data.ca\\.crt}',
      )
      writeFileSync(join(certificates, 'ca.crt'), authority)
      succeeded(await one.kubectl('create', 'serviceaccount', 'pusher'))
      const rule = { apiGroups: ['registry.sampan.dev'], resources: ['repositories'], resourceNames: ['team/web'] }
      const role = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'pusher' },
        rules: [{ ...rule, verbs: ['get', 'update', 'delete'] }],
      }
      succeeded(await one.kubectlWith(role, 'create'))
      succeeded(
        await one.kubectl(
          'create',
          'clusterrolebinding',
          'pusher',
          '--clusterrole=pusher',
          '--serviceaccount=default:pusher',
        ),
      )
      succeeded(await one.sampan('images', 'export', 'busybox:1', join(one.directory, 'web.tar'), '--name', one.name))
    })
    const push = (to: string): Promise<Result> =>
      skopeo(
        'copy',
        '--insecure-policy',
        '--dest-cert-dir',
        certificates,
        `oci-archive:${join(one.directory, 'web.tar')}`,
        `docker://${place}/${to}`,
      )

    test('sampan status tells the place', async () => {
      expect(succeeded(await one.sampan('status', '--name', one.name)).out).toContain(`from elsewhere ${place}`)
    })

    test('nothing goes without a login', async () => {
      expect((await push('team/web:1')).err).toMatch(/unauthorized|authentication required/i)
      const wrong = await skopeo('login', '--cert-dir', certificates, '-u', 'me', '-p', 'guess', place)
      expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/unauthorized|invalid username/i) })
    })

    test('a token of the cluster is a password, for what its role says', async () => {
      const token = (await one.show('create', 'token', 'pusher')).trim()
      succeeded(await skopeo('login', '--cert-dir', certificates, '-u', 'me', '-p', token, place))
      succeeded(await push('team/web:1'))
      const listed = succeeded(await skopeo('list-tags', '--cert-dir', certificates, `docker://${place}/team/web`))
      expect(JSON.parse(listed.out)).toMatchObject({ Tags: ['1'] })
      expect((await push('team/other:1')).err).toMatch(/denied|403|forbidden/i)
      succeeded(await skopeo('delete', '--cert-dir', certificates, `docker://${place}/team/web:1`))
      expect(readText(join(one.dataDirectory, 'server.log'))).not.toContain(token)
    })

    test('on loopback nothing changed: no login is asked for', async () => {
      const address = await one.registry()
      const answer = await one.curl(`http://${address}/v2/busybox/tags/list`)
      expect(JSON.parse(answer)).toEqual({ name: 'busybox', tags: ['1', '2'] })
    })
  })
})
