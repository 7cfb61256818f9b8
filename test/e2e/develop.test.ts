// The edit loop as people use it: `sampan dev` on a service in a cluster, files that are edited, and what answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ClusterFixture, reasonToSkipCluster, sampanProgram, succeeded } from '../../src/testing/cluster-fixture.ts'
import { eventually } from '../../src/testing/eventually.ts'

const reason = reasonToSkipCluster()
const waitMs = 60_000

describe.skipIf(reason !== undefined)(`sampan dev${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ClusterFixture
  let folder = ''
  let running: ChildProcess | undefined
  let output = ''
  beforeAll(async () => {
    cluster = await ClusterFixture.up('develop')
  })
  afterAll(() => cluster?.close())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sampan-dev-'))
    put(
      'package.json',
      JSON.stringify({ name: 'web', version: '1.0.0', type: 'module', scripts: { start: 'node main.js' } }),
    )
    put('word.js', "export const word = 'one'")
    put(
      'main.js',
      `import { createServer } from 'node:http'
       import { word } from './word.js'
       createServer((_request, response) => response.end(word + ' ' + process.env.MODE)).listen(3000, () => console.log('serving ' + word))`,
    )
    manifest('first')
  })
  afterEach(async () => {
    running?.kill('SIGKILL')
    await cluster.run(sampanProgram, ['delete', '-e', 'test', 'web', '--yes'], { directory: folder })
    rmSync(folder, { recursive: true })
  })

  const put = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const manifest = (mode: string): void =>
    put('app.yml', `name: web\nports: { http: 3000 }\nhealth: { http: / }\nenv: { MODE: ${mode} }\n`)
  const sampan = (...args: string[]): ReturnType<ClusterFixture['run']> =>
    cluster.run(sampanProgram, args, { directory: folder, timeoutMs: 120_000 })
  function dev(...args: string[]): void {
    output = ''
    running = cluster.spawn(sampanProgram, ['dev', ...args], { directory: folder })
    for (const stream of [running.stdout, running.stderr])
      stream?.on('data', (part: Buffer) => (output += part.toString()))
  }
  /** With a reader that leaves after one line. */
  function devInto(reader: string): void {
    output = ''
    running = cluster.spawn('sh', ['-c', `${sampanProgram} dev 2>&1 | ${reader}; echo left`], { directory: folder })
    running.stdout?.on('data', (part: Buffer) => (output += part.toString()))
  }
  const said = (text: string, times = 1): Promise<unknown> =>
    eventually(`"${text}" ${times} times`, () => output.split(text).length > times, waitMs).catch((error: Error) => {
      throw new Error(`${error.message}:\n${output}`)
    })
  const answers = (text: string, port = 3000): Promise<unknown> =>
    eventually(
      text,
      async () => (await cluster.curl(`http://127.0.0.1:${port}/`).catch(() => '')) === text,
      waitMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}:\n${output}`)
    })
  const serving = (port: number, word: string): string =>
    `require('http').createServer((_request, response) => response.end('${word}')).listen(${port}, () => console.log('serving ${word}'))`
  async function stop(): Promise<void> {
    const ended = new Promise(resolve => running!.once('close', resolve))
    running!.kill('SIGINT')
    await ended
  }

  test('a source, the manifest, the dependencies: each change comes to where the service runs; then all is as before', async () => {
    dev()
    await answers('one first')
    put('word.js', "export const word = 'two'")
    await answers('two first')
    expect(output).toContain('/app/word.js in ')
    manifest('second')
    await answers('two second')
    // Sources go on to be brought while the manifest has a mistake.
    put('app.yml', 'name: web\nprots: { http: 3000 }\n')
    await said('did you mean "ports"?')
    put('word.js', "export const word = 'three'")
    await answers('three second')
    put('app.yml', 'name: web\nports: { http: 3000, admin: 3001 }\nhealth: { http: / }\nenv: { MODE: third }\n')
    await answers('three third')
    expect(output).toContain('http://localhost:3001 leads to port 3001 of web')
    put(
      'package.json',
      JSON.stringify({ name: 'web', version: '1.0.1', type: 'module', scripts: { start: 'node main.js' } }),
    )
    await said('delivered', 4)
    await stop()
    expect(output).toContain('web is gone from test as before')
    expect((await sampan('history', '-e', 'test', 'web')).code).not.toBe(0)
    expect((await cluster.kubectl('get', 'namespace', 'test')).err).toContain('"test" not found')
  })

  test('Ctrl-C at any time before it serves leaves nothing', async () => {
    for (const moment of ['leads to port', 'works on nothing yet']) {
      dev()
      if (moment === 'leads to port') await said(moment)
      else await eventually('it is recorded', async () => (await sampan('history', '-e', 'test', 'web')).code === 0)
      await stop()
      expect(output).toMatch(/web is (?:not in test, as before|gone from test as before)\n$/)
      expect((await cluster.kubectl('get', 'namespace', 'test')).err).toContain('"test" not found')
    }
  })

  test('a crash is shown and waits for the next edit; another container gets the edits, too', async () => {
    dev()
    await answers('one first')
    put('word.js', "export const word = ''; throw new Error('on purpose')")
    await said('Error: on purpose')
    await said('the process ended with exit code 1; waiting for the next change')
    put('word.js', "export const word = 'three'")
    await answers('three first')
    succeeded(await cluster.kubectl('delete', 'pod', '-n', 'test', '-l', 'app.kubernetes.io/name=web', '--wait=false'))
    await answers('three first')
  })

  test('the release before is back at the end, also when somebody else has to do it', async () => {
    succeeded(await sampan('build'))
    succeeded(await sampan('deploy', '-e', 'test', 'web:1.0.0'))
    put('word.js', "export const word = 'edited'")
    dev()
    await answers('edited first')
    expect(await sampan('dev')).toMatchObject({
      code: 1,
      err: expect.stringContaining('works on web in test; end that'),
    })
    running!.kill('SIGKILL')
    expect((await sampan('ps', '-e', 'test', 'web')).out).toContain('dev')
    succeeded(await sampan('rollback', '-e', 'test', 'web'))
    expect((await sampan('ps', '-e', 'test', 'web')).out).toContain('1.0.0')
    dev()
    await answers('edited first')
    await stop()
    expect(output).toContain('(1.0.0) in test as before')
    // The way back from there is what it was, too: none.
    expect((await sampan('rollback', '-e', 'test', 'web')).err).toContain('there is no earlier release of "web"')
  })

  test('one that ended before it delivered anything leaves the release that was there; so does one whose reader left', async () => {
    succeeded(await sampan('build'))
    succeeded(await sampan('deploy', '-e', 'test', 'web:1.0.0'))
    dev()
    await answers('one first')
    await said('delivered')
    await stop()
    put('package.json', JSON.stringify({ name: 'web', version: '1.0.0', dependencies: { express: '4' } }))
    dev()
    await said('expected a package-lock.json')
    await stop()
    expect(output).toMatch(/web is release \d+ \(1\.0\.0\) in test as before\n$/)
    put('package.json', JSON.stringify({ name: 'web', version: '1.0.0', scripts: { start: 'node main.js' } }))
    devInto('head -1')
    await said('left')
    const version = async (): Promise<string> => (await sampan('ps', '-e', 'test', 'web', '-o', 'json')).out
    await eventually('it is as before', async () => !(await version()).includes('"dev"'), waitMs)
    expect(await version()).toContain('1.0.0')
  })

  test('a delivery of somebody else meanwhile is told, and the next change delivers again', async () => {
    dev()
    await answers('one first')
    await said('delivered')
    succeeded(await sampan('build'))
    succeeded(await sampan('deploy', '-e', 'test', 'web:1.0.0'))
    await said('delivered web 1.0.0 to test meanwhile')
    put('word.js', "export const word = 'edited'")
    await answers('edited first')
    await said('after the change')
    await stop()
    expect(output).toContain('(1.0.0) in test as before')
  })

  test('a service that does not start at all is started by the edit that mends it', async () => {
    put('word.js', 'export const word = )')
    dev()
    await said('SyntaxError')
    put('word.js', "export const word = 'mended'")
    await answers('mended first')
    await said('delivered')
  })

  test('several services at once, in one stream, a debugger for each; --keep leaves them, and others end it', async () => {
    for (const [index, name] of ['first', 'second'].entries()) {
      put(`${name}/package.json`, JSON.stringify({ name, version: '1.0.0', scripts: { start: 'node main.js' } }))
      put(`${name}/main.js`, serving(4000 + index, name))
      put(`${name}/app.yml`, `name: ${name}\nports: { http: ${4000 + index} }\nhealth: { http: / }\n`)
    }
    put('sampan.yml', 'environments: { test: {} }\nservices: { first: { path: first }, second: { path: second } }\n')
    rmSync(join(folder, 'app.yml'))
    dev('-e', 'test', '--keep', '--inspect', '9300')
    await answers('first', 4000)
    await answers('second', 4001)
    put('second/main.js', serving(4001, 'edited'))
    await answers('edited', 4001)
    await answers('first', 4000)
    await said('\nfirst  serving first\n')
    await said('\nsecond serving edited\n')
    for (const port of [9300, 9301]) {
      const targets = await cluster.curl(`http://127.0.0.1:${port}/json/list`)
      expect(JSON.parse(targets), targets).toEqual([expect.objectContaining({ type: 'node' })])
    }
    await stop()
    expect(output.split('delivered with all changes in its image')).toHaveLength(2)
    expect((await sampan('ps', '-e', 'test', '-o', 'json')).out).toContain('"dev"')
    for (const name of ['first', 'second']) succeeded(await sampan('delete', '-e', 'test', name, '--yes'))
  })

  test('a connection that died without a word is found dead, and opened again', async () => {
    dev()
    await answers('one first')
    // As long as it is stopped, the other end says nothing, as that of a machine that slept.
    const stopConnections = `
      const { readdirSync, readFileSync } = require('fs')
      for (const pid of readdirSync('/proc').filter(name => Number(name) > 0 && name !== String(process.pid)))
        if (readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0').includes('connect')) {
          process.kill(Number(pid), 'SIGSTOP')
          console.log('stopped')
        }`
    const stopped = await sampan('exec', '-e', 'test', 'web', '--', '/usr/local/bin/node', '-e', stopConnections)
    expect(succeeded(stopped).out).toContain('stopped')
    put('word.js', "export const word = 'slept'")
    await answers('slept first')
  })
})
