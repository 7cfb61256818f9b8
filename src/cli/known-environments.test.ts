// A misspelt environment: refused where files say which ones there are, and never taken for an empty one elsewhere. The
// cluster is a server that has next to nothing.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { machineClock } from '../host/machine-clock.ts'
import { backup, restore } from './commands/data.ts'
import { deleteCommand } from './commands/delete.ts'
import { envClone, envCreate, envDelete } from './commands/env.ts'
import { exec } from './commands/exec.ts'
import { history } from './commands/history.ts'
import { logs } from './commands/logs.ts'
import { openCommand } from './commands/open.ts'
import { ps } from './commands/ps.ts'
import { restart, scale } from './commands/restart.ts'
import { rollbackCommand } from './commands/rollback.ts'
import { run } from './commands/run.ts'
import { serviceStatus } from './commands/service-status.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-environments-'))
let server: Server
/** Deployments that the cluster has. */
let deployments: object[] = []
let said = ''

beforeAll(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://cluster')
    // Lists are there, and empty; no object is, and none can be made.
    const isObject = /\/namespaces\/[^/]+(?:\/[a-z]+\/[^/]+)?$/.test(pathname)
    const code = request.method !== 'GET' ? 403 : isObject ? 404 : 200
    const reason = code === 403 ? 'Forbidden' : 'NotFound'
    const items = pathname.endsWith('/deployments') ? deployments : []
    const body =
      code === 200
        ? { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items }
        : {
            kind: 'Status',
            apiVersion: 'v1',
            metadata: {},
            status: 'Failure',
            code,
            reason,
            message: `refused ${pathname}`,
          }
    response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  written(
    'kubeconfig',
    `apiVersion: v1
kind: Config
current-context: stub
clusters: [{ name: stub, cluster: { server: "${url}" } }]
contexts: [{ name: stub, context: { cluster: stub, user: me } }]
users: [{ name: me, user: { token: x } }]
`,
  )
})
const own = process.cwd()
afterAll(() => {
  process.chdir(own)
  server.close()
  rmSync(root, { recursive: true })
})
beforeEach(() => {
  vi.stubEnv('KUBECONFIG', join(root, 'kubeconfig'))
  deployments = []
  said = ''
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    said += String(text)
    return true
  })
  vi.spyOn(console, 'log').mockImplementation(text => {
    said += `${text}\n`
  })
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  process.exitCode = undefined
})

function written(path: string, text: string): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

/** As if the command were given there. */
function inFolder(name: string): void {
  mkdirSync(join(root, name), { recursive: true })
  process.chdir(join(root, name))
}

const options = (environment: string) => ({
  environment,
  timeout: 1,
  clock: machineClock,
  isAlive: () => true,
  identity: { key: undefined, keyFile: undefined, home: root },
  yes: true,
})
const words = { before: [], command: ['true'] }
const backupFile = written('backup.sql', '')

/** All commands about what there is, for a service `web`. */
const commands: Readonly<Record<string, (environment: string) => Promise<unknown>>> = {
  ps: environment => ps([], options(environment)),
  'ps of one': environment => ps(['web'], options(environment)),
  status: environment => serviceStatus([], options(environment)),
  'status of one': environment => serviceStatus(['web'], options(environment)),
  logs: environment => logs('web', undefined, options(environment)),
  'logs of a task': environment => logs('web', undefined, { ...options(environment), task: 'sync' }),
  exec: environment => exec('web', words, options(environment)),
  open: environment => openCommand('web', { ...options(environment), print: true }),
  history: environment => history('web', options(environment)),
  restart: environment => restart('web', options(environment)),
  scale: environment => scale('web', 1, options(environment)),
  delete: environment => deleteCommand('web', options(environment)),
  run: environment => run('web', words, options(environment)),
  rollback: environment => rollbackCommand(['web'], options(environment)),
  backup: environment => backup('web', undefined, { ...options(environment), file: join(root, 'new.sql') }),
  restore: environment => restore('web', undefined, { ...options(environment), file: backupFile }),
}

const folders = ['of a team', 'of a team whose manifests say it', 'of a service'] as const

describe.each(folders)('in the folder %s', folder => {
  beforeEach(() => {
    const own = 'name: web\nenvironments: { test: {}, production: {} }\n'
    if (folder === 'of a team') {
      written(`${folder}/sampan.yml`, 'services: { web: {} }\nenvironments: { test: {}, production: {} }\n')
      written(`${folder}/web/app.yml`, 'name: web\n')
    } else if (folder === 'of a service') written(`${folder}/app.yml`, own)
    else {
      written(`${folder}/sampan.yml`, 'services: { web: {} }\n')
      written(`${folder}/web/app.yml`, own)
    }
    inFolder(folder)
  })

  test.each(Object.keys(commands))('%s refuses one that there is not', async command => {
    await expect(commands[command]!('tset')).rejects.toThrow(/there is no environment "tset"; did you mean "test"\?$/)
  })

  test('one that is there is looked at', async () => {
    await expect(ps(['web'], options('test'))).rejects.toThrow('there is nothing of web in the environment "test"')
  })
})

test('a service without a manifest is in an environment of its team', async () => {
  written('without/sampan.yml', 'environments: { test: {} }\n')
  inFolder('without')
  for (const command of ['ps', 'ps of one', 'rollback'])
    await expect(commands[command]!('tset')).rejects.toThrow('there is no environment "tset"; did you mean "test"?')
})

test('one that only some services know is shown with these', async () => {
  written('some/web/app.yml', 'name: web\nenvironments: { test: {}, demo: {} }\n')
  written('some/api/app.yml', 'name: api\nenvironments: { test: {} }\n')
  inFolder('some')
  await serviceStatus([], options('demo'))
  expect(said).toContain('web')
  expect(said).not.toContain('api')
  await expect(ps(['api'], options('demo'))).rejects.toThrow('there is no environment "demo"')
})

test('a manifest with mistakes keeps nobody from looking', async () => {
  written('broken/app.yml', 'name: web\nreplica: 2\nenvironments: { test: {} }\n')
  inFolder('broken')
  await expect(ps(['web'], options('test'))).rejects.toThrow('there is nothing of web in the environment "test"')
})

describe('away from files', () => {
  beforeEach(() => inFolder('away'))

  test.each(Object.keys(commands).filter(command => command !== 'status of one'))(
    '%s says that nothing is there',
    async command => {
      await expect(commands[command]!('tset')).rejects.toThrow(/nothing (?:was delivered|of)|no (?:instances|release)/)
    },
  )

  test('status says that nothing is there', async () => {
    await serviceStatus(['web'], options('tset'))
    expect(said).toContain('nothing was delivered to the environment "tset" (namespace tset of stub)')
    expect(process.exitCode).toBe(3)
  })

  test('manifests of others below say nothing about a service', async () => {
    written('away/shop/app.yml', 'name: shop\nenvironments: { test: {} }\n')
    await expect(ps(['web'], options('staging'))).rejects.toThrow(
      'there is nothing of web in the environment "staging"',
    )
    rmSync(join(root, 'away/shop'), { recursive: true })
  })
})

describe('an environment as a whole', () => {
  const team = 'services: { web: {} }\nenvironments:\n  test: {}\n'
  const file = join(root, 'whole/sampan.yml')
  beforeEach(() => {
    written('whole/sampan.yml', team)
    written('whole/web/app.yml', 'name: web\nimage: 127.0.0.1:1/web\n')
    written('whole/web/package.json', '{ "name": "web", "version": "1.0.0", "main": "main.js" }')
    written('whole/web/main.js', '')
    inFolder('whole')
  })

  test('that there is not cannot be deleted', async () => {
    await expect(envDelete('tset', options('tset'))).rejects.toThrow(
      'there is no environment "tset": no file here names it, and nothing of it is in stub; did you mean "test"?',
    )
    expect(said).not.toContain('is gone')
    inFolder('away')
    await expect(envDelete('nosuch', options('nosuch'))).rejects.toThrow('there is no environment "nosuch"')
  })

  test('that a file names is deleted, also where nothing of it is left', async () => {
    writeFileSync(file, `${team}  test7: { extends: test } # made by sampan env create\n`)
    await envDelete('test7', options('test7'))
    expect(said).toContain('test7 is gone')
    expect(readFileSync(file, 'utf8')).toBe(team)
  })

  test('that cannot be made leaves no line', async () => {
    await expect(envCreate('test7', { ...options('test7'), extends: 'test' })).rejects.toThrow('refused')
    expect(said).toContain('test7 is not in sampan.yml any more')
    expect(readFileSync(file, 'utf8')).toBe(team)
  })

  test('that nobody can be asked about leaves no line, and a word', async () => {
    vi.stubEnv('KUBECONFIG', join(root, 'none'))
    await expect(envCreate('test7', { ...options('test7'), extends: 'test' })).rejects.toThrow(/none/)
    expect(said).toContain('to take it away: sampan env delete test7')
    expect(readFileSync(file, 'utf8')).toBe(team)
  })

  test('of which something is there keeps its line, and says so', async () => {
    deployments = [
      {
        metadata: { name: 'web', labels: { 'app.kubernetes.io/name': 'web', 'sampan.dev/track': 'main' } },
        spec: { replicas: 1, selector: {}, template: { spec: { containers: [] } } },
        status: {},
      },
    ]
    await expect(envCreate('test7', { ...options('test7'), extends: 'test' })).rejects.toThrow('refused')
    expect(said).toContain('test7 stays in sampan.yml, because there is something of web; to go on: sampan env create')
    expect(readFileSync(file, 'utf8')).toContain('test7: { extends: test }')
  })

  test('a line that was there before stays', async () => {
    const before = `${team}  test7: { extends: test }\n`
    writeFileSync(file, before)
    await expect(envCreate('test7', options('test7'))).rejects.toThrow('refused')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('of one that there is not nothing is cloned', async () => {
    await expect(envClone('tset', 'test7', options('test7'))).rejects.toThrow('there is no environment "tset"')
    expect(readFileSync(file, 'utf8')).toBe(team)
  })
})
