// Delivery to another cluster than one's own, reached over HTTPS from another machine, by a ServiceAccount that has the
// rights of docs/delivery-rights.md in one namespace and no others.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterAccess } from '../../src/client/kubeconfig.ts'
import {
  ClusterFixture,
  folder,
  reasonToSkipCluster,
  sampanProgram,
  succeeded,
  type NetworkNamespace,
  type Result,
} from '../../src/testing/cluster-fixture.ts'
import { deployerRules } from '../../src/testing/deployer-role.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const namespace = 'shop'
const apiAddress = '192.0.2.1'

const manifest = `name: web
image: sampan.local/busybox
namespace: ${namespace}
replicas: 2
stopSeconds: 1
security: { user: 65534 }
ports: { http: 8080 }
health: { http: / }
command: ["sh", "-c", 'echo "web $SERVICE_VERSION begins"; echo "$SERVICE_VERSION" > /tmp/index.html; exec httpd -f -p 8080 -h /tmp']
schedules: { sync: { cron: "0 0 1 1 *", run: [sh, -c, 'echo synchronized by $SERVICE_VERSION'] } }
checks: { before: [sh, -c, 'wget -q -O - $SAMPAN_TARGET_URL'] }
routes: [{ host: web, path: / }]
files: { /etc/rules.json: ./rules.json }
`

describe.skipIf(reason !== undefined)(
  `rights in one namespace${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let cluster: ClusterFixture
    let elsewhere: NetworkNamespace
    let project: string
    let kubeconfig: string

    beforeAll(async () => {
      cluster = new ClusterFixture('rights')
      elsewhere = cluster.namespace.neighbour()
      succeeded(await cluster.up('--bind-address', apiAddress))
      await cluster.pushBusybox('1.0.0', '2.0.0')
      await cluster.show('create', 'namespace', namespace)
      await cluster.show('create', 'serviceaccount', 'deployer', '-n', namespace)
      await giveRights(deployerRules())
      const bind = ['--role', 'deployer', '--serviceaccount', `${namespace}:deployer`]
      await cluster.show('create', 'rolebinding', 'deployer', '-n', namespace, ...bind)
      project = folder(cluster.directory, 'project')
      writeFileSync(join(project, 'app.yml'), manifest)
      writeFileSync(join(project, 'rules.json'), '{}')
      kubeconfig = join(project, 'kubeconfig')
      writeFileSync(kubeconfig, await kubeconfigOfDeployer())
    })
    afterAll(async () => {
      elsewhere?.close()
      await cluster?.close()
    })

    async function giveRights(rules: ReturnType<typeof deployerRules>): Promise<void> {
      const role = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'deployer', namespace },
      }
      succeeded(await cluster.kubectlWith({ ...role, rules }, 'apply'))
    }

    async function kubeconfigOfDeployer(): Promise<string> {
      const { server, authority } = clusterAccess([cluster.kubeconfig])
      const token = (await cluster.show('create', 'token', 'deployer', '-n', namespace)).trim()
      return stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'far',
        contexts: [{ name: 'far', context: { cluster: 'far', user: 'deployer' } }],
        clusters: [
          {
            name: 'far',
            cluster: {
              server: `https://${apiAddress}:${new URL(server).port}`,
              'certificate-authority-data': Buffer.from(authority!).toString('base64'),
            },
          },
        ],
        users: [{ name: 'deployer', user: { token } }],
      })
    }

    /** As the deployer, from the other machine. */
    const sampan = (...args: string[]): Promise<Result> =>
      cluster.run(sampanProgram, args, {
        namespace: elsewhere,
        directory: project,
        environment: { KUBECONFIG: kubeconfig },
        timeoutMs: 120_000,
      })
    const here = (command: string, ...args: string[]): Promise<Result> => sampan(command, '-e', 'test', ...args)

    test('the API is reached over HTTPS, and nothing of the cluster is the user’s', async () => {
      const asDeployer = (...args: string[]): Promise<Result> =>
        cluster.run('kubectl', args, { namespace: elsewhere, environment: { KUBECONFIG: kubeconfig } })
      expect((await asDeployer('get', 'nodes')).err).toContain('cannot list resource "nodes"')
      expect((await asDeployer('get', 'pods', '-n', 'default')).err).toContain('cannot list resource "pods"')
      expect((await asDeployer('create', 'namespace', 'mine')).err).toContain('cannot create resource "namespaces"')
    })

    test.each([
      ['deployments.apps', 'create', /you may not create deployments\.apps in the namespace shop; ask whoever/],
      ['secrets', 'update', /you may not update secrets in the namespace shop/],
      ['pods/log', 'get', /you may not get pods\/log in the namespace shop/],
      [
        'ingresses.networking.k8s.io',
        'patch',
        /you may not patch ingresses\.networking\.k8s\.io in the namespace shop/,
      ],
      ['poddisruptionbudgets.policy', 'get', /you may not get poddisruptionbudgets\.policy in the/],
    ])('%s without %s is told before anything is changed', async (what, verb, words) => {
      const [resource, ...group] = what.split('.')
      const rules = deployerRules().map(rule =>
        rule.resources?.includes(resource!) && rule.apiGroups?.includes(group.join('.'))
          ? { ...rule, verbs: rule.verbs.filter(granted => granted !== verb) }
          : rule,
      )
      await giveRights(rules.filter(({ verbs }) => verbs.length > 0))
      const { code, err } = await here('deploy', 'web:1.0.0')
      expect([code, err]).toEqual([1, expect.stringMatching(words)])
      expect(err).toContain('web cannot be delivered to far, and nothing was changed')
      const kinds = 'deployments,services,secrets,configmaps,cronjobs,ingresses,jobs'
      const there = await cluster.show('get', kinds, '-n', namespace, '-o', 'name')
      expect(there.split('\n').filter(line => line !== '' && !line.endsWith('kube-root-ca.crt'))).toEqual([])
      await giveRights(deployerRules())
    })

    test('deploy, diff, upgrade and rollback', async () => {
      const first = succeeded(await here('deploy', 'web:1.0.0'))
      // The registry is the other machine's own.
      expect(first.err).toContain('whoever pushes sampan.local/busybox:1.0.0 again changes what this release runs')
      succeeded(await here('deploy', 'web:2.0.0'))
      expect((await here('diff')).out).not.toContain('is to be')
      succeeded(await here('rollback', 'web'))
      const { out } = succeeded(await here('history', 'web'))
      expect(out).toMatch(/1\.0\.0[\s\S]*2\.0\.0|2\.0\.0[\s\S]*1\.0\.0/)
    })

    test('ps, logs and exec', async () => {
      expect(succeeded(await here('ps', 'web')).out.match(/^web +web-\S+ +1\.0\.0 +Running +yes/gm)).toHaveLength(2)
      expect(succeeded(await here('logs', 'web')).out).toContain('web 1.0.0 begins')
      expect(succeeded(await here('exec', 'web', '--', 'cat', '/tmp/index.html')).out).toBe('1.0.0\n')
    })

    test('a task, and a process of one’s own', async () => {
      const task = succeeded(await here('run', 'web', 'sync'))
      expect(task.out + task.err).toContain('synchronized by 1.0.0')
      const own = succeeded(await here('run', 'web', '--', 'sh', '-c', 'echo own $SERVICE_VERSION'))
      expect(own.out).toContain('own 1.0.0')
    })

    test('restart, scale, and delete, which leaves nothing', async () => {
      succeeded(await here('restart', 'web'))
      succeeded(await here('scale', 'web', '3'))
      await eventually(
        'three instances',
        async () =>
          succeeded(await here('ps', 'web')).out.match(/^web +web-\S+ +1\.0\.0 +Running +yes/gm)?.length === 3,
      )
      succeeded(await here('delete', 'web', '--yes'))
      const kinds = 'deployments,services,secrets,configmaps,cronjobs,ingresses,jobs,leases,poddisruptionbudgets'
      await eventually('nothing is left', async () => {
        const there = await cluster.show('get', kinds, '-n', namespace, '-o', 'name')
        return there.split('\n').filter(line => line !== '' && !line.endsWith('kube-root-ca.crt')).length === 0
      })
    })
  },
)
