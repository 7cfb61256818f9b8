// The package as people get it: packed by npm, installed into clean places, with nothing of this repository
// beside it and whatever Node.js the machine has.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ClusterFixture,
  folder,
  reasonToSkipCluster,
  repository,
  succeeded,
} from '../../src/testing/cluster-fixture.ts'
import { sampanVersion } from '../../src/lib/version.ts'

const reason = reasonToSkipCluster()
const nobody = 65_534

describe.skipIf(reason !== undefined)(`the package${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let directory = ''
  let tarball = ''
  let packed: { filename: string; size: number; files: { path: string }[] }
  let program = ''

  // Packages come out of npm's own cache where they are in it.
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  function npm(place: string, ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd: place, encoding: 'utf8' })
    if (status !== 0) throw new Error(`npm ${args.join(' ')}: exit code ${status}: ${stderr}`)
    return stdout
  }

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sampan-package-'))
    chmodSync(directory, 0o755)
    const answer = npm(repository, 'pack', '--json', '--no-foreground-scripts', '--pack-destination', directory)
    const found = JSON.parse(answer) as { filename: string; size: number; files: { path: string }[] }[]
    packed = found[0]!
    tarball = join(directory, packed.filename)
    npm(directory, 'install', '--global', '--prefix', join(directory, 'prefix'), ...quiet, tarball)
    program = join(directory, 'prefix/bin/sampan')
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('is small and holds only what runs', () => {
    expect(packed.size).toBeLessThan(3_000_000)
    expect(
      packed.files
        .map(({ path }) => path.replace(/chunk-\w+/, 'chunk'))
        .filter(path => !/^dist\/\S+\.js$/.test(path))
        .toSorted(),
    ).toEqual([
      'LICENSE',
      'README.md',
      'bin/sampan',
      'dist/LICENSES.txt',
      'package.json',
      'schema/app.schema.json',
      'schema/sampan.schema.json',
    ])
  })

  test('brings a cluster up from a global install, builds and delivers', async () => {
    const cluster = new ClusterFixture('package', undefined, program)
    try {
      succeeded(await cluster.up())
      expect(await cluster.show('get', 'nodes', '--no-headers')).toMatch(/ Ready /)
      const service = folder(cluster.directory, 'hello')
      writeFileSync(join(service, 'package.json'), JSON.stringify({ name: 'hello', version: '1.0.0', main: 'main.js' }))
      writeFileSync(
        join(service, 'main.js'),
        `require('node:http').createServer((_, answer) => answer.end('hello')).listen(8080); process.on('SIGTERM', () => process.exit())`,
      )
      writeFileSync(
        join(service, 'app.yml'),
        'name: hello\nports: { http: { port: 8080, nodePort: 30080 } }\nhealth: { http: / }\n',
      )
      await cluster.build(service, 'hello:1.0.0')
      succeeded(await cluster.sampan('deploy', '-e', 'test', 'hello:1.0.0'))
      expect(await cluster.curl('http://127.0.0.1:30080/')).toBe('hello')
      succeeded(await cluster.down('--purge'))
      expect(await cluster.leftOvers()).toEqual([])
    } finally {
      await cluster.close()
    }
  })

  test('runs as somebody who may not write where root installed it', () => {
    const home = folder(directory, 'home')
    spawnSync('chown', [String(nobody), home])
    const { stdout, stderr, status } = spawnSync(program, ['--version'], {
      uid: nobody,
      gid: nobody,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: home },
    })
    expect({ stdout, stderr, status }).toEqual({ stdout: `${sampanVersion}\n`, stderr: '', status: 0 })
    expect(statSync(join(home, '.cache/sampan/compiled')).uid).toBe(nobody)
  })

  test('runs as a dependency of a project, and leaves nothing of root in it', () => {
    const project = folder(directory, 'project')
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0' }))
    npm(project, 'install', ...quiet, tarball)
    spawnSync('chown', ['-R', String(nobody), project])
    expect(npm(project, 'exec', '--', 'sampan', '--version')).toBe(`${sampanVersion}\n`)
    expect(existsSync(join(project, 'node_modules/sampan/dist/cache'))).toBe(false)
  })

  test('runs with npx', () => {
    const place = folder(directory, 'elsewhere')
    expect(npm(place, 'exec', '--yes', ...quiet, `--package=${tarball}`, '--', 'sampan', '--version')).toBe(
      `${sampanVersion}\n`,
    )
  })

  test('without the Node.js it came with says what to do', () => {
    const place = join(directory, 'alone')
    mkdirSync(place)
    spawnSync('tar', ['--extract', '--gzip', '--file', tarball, '--directory', place])
    const old = folder(directory, 'old')
    writeFileSync(join(old, 'node'), '#!/bin/sh\necho v20.1.0\n', { mode: 0o755 })
    const { stderr, status } = spawnSync(join(place, 'package/bin/sampan'), ['--version'], {
      encoding: 'utf8',
      env: { PATH: `${old}:/usr/bin:/bin` },
    })
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^error: expected the package node-linux-\w+ .* \(Node\.js: v20\.1\.0\); run npm install again/,
    )
    rmSync(join(old, 'node'))
  })
})
