// With PHP and Composer that are none, and with PHP where this machine has it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../../host/cluster-programs.ts'
import { baseWith, BuildPlace, fakeProgram } from '../../../testing/build-place.ts'
import type { BaseImage } from '../base/base-image.ts'
import { phpBuilder } from './php-builder.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.close()
})

describe('a PHP project', () => {
  let programs = ''
  beforeEach(() => {
    programs = place.folder('programs')
    const program = place.put('real/php', readFileSync('/bin/true'), 0o755, programs)
    place.put('extensions/pdo.so', readFileSync('/bin/true'), 0o644, programs)
    const settings = place.put('etc/20-pdo.ini', 'extension=pdo', 0o644, programs)
    const facts = { program, version: '8.2.1', extensions: join(programs, 'extensions'), settings: { 0: settings } }
    fakeProgram(programs, 'php', `echo '${JSON.stringify(facts)}'`)
    fakeProgram(
      programs,
      'composer',
      `printf '%s\\n' "$@" > ${programs}/asked
[ ! -e fails ] || exit 2
mkdir -p vendor/composer
echo '<?php' > vendor/autoload.php
ls > vendor/seen
echo '{"packages":[{"name":"acme/lib","version":"2.1.0","license":["MIT"]}]}' > vendor/composer/installed.json`,
    )
    vi.stubEnv('PATH', `${programs}:${process.env['PATH']}`)
  })

  test('becomes PHP with its extensions, the packages of its lock file and its own files', async () => {
    place.put('public/index.php', '<?php echo 1;')
    place.put('src/Shop.php', '<?php')
    place.put('vendor/old.php', '')
    place.put(
      'composer.json',
      JSON.stringify({
        name: 'acme/shop',
        version: '1.1.0',
        require: { php: '>=8', 'acme/lib': '^2' },
        autoload: { classmap: ['src'] },
      }),
    )
    place.put('composer.lock', '{}')
    expect(phpBuilder.describe(place.directory)).toEqual({ name: 'acme/shop', version: '1.1.0' })
    const { files, config, components, digests, notes } = await place.build(phpBuilder)
    expect(config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['php'],
      Cmd: ['/usr/local/lib/sampan/serve.php', 'public'],
      WorkingDir: '/app',
      StopSignal: 'SIGTERM',
    })
    expect(config.Env).toEqual(expect.arrayContaining(['PORT=8080', 'PHP_CLI_SERVER_WORKERS=4']))
    expect(digests).toHaveLength(4)
    expect(files.get(`${programs}/extensions/pdo.so`.slice(1))?.layer).toBe(1)
    expect(files.get(`${programs}/etc/20-pdo.ini`.slice(1))?.content).toBe('extension=pdo')
    expect(files.get('app/vendor/autoload.php')?.layer).toBe(2)
    expect(files.get('app/vendor/seen')?.content).toBe('composer.json\ncomposer.lock\nsrc\nvendor\n')
    expect(files.has('app/vendor/old.php')).toBe(false)
    expect(files.get('app/src/Shop.php')?.layer).toBe(3)
    expect(components).toContainEqual({
      name: 'acme/lib',
      version: '2.1.0',
      purl: 'pkg:composer/acme/lib@2.1.0',
      license: 'MIT',
    })
    expect(notes).toEqual([expect.stringContaining("PHP's built-in server answers, with four processes")])
    expect(readFileSync(join(programs, 'asked'), 'utf8')).toMatch(/^install\n--no-dev\n--no-scripts\n/)
    const second = await place.build(phpBuilder)
    expect([second.digests, second.steps.filter(step => step.startsWith('dependencies'))]).toEqual([
      digests,
      ['dependencies (cached)'],
    ])
  })

  test('without a lock file, or without pages, is refused', async () => {
    place.put('composer.json', JSON.stringify({ require: { 'acme/lib': '^2' } }))
    await expect(place.build(phpBuilder)).rejects.toThrow(
      /expected a composer.lock beside .*composer.json, because a build must be repeatable/,
    )
    place.put('composer.json', '{}')
    await expect(place.build(phpBuilder)).rejects.toThrow(
      /expected an index.php or public\/index.php, or build: \{ start: COMMAND \}/,
    )
    expect((await place.build(phpBuilder, { start: ['php', 'worker.php'] })).config).toMatchObject({
      Entrypoint: ['php'],
      Cmd: ['worker.php'],
    })
    place.put('composer.json', 'no json')
    expect(() => phpBuilder.describe(place.directory)).toThrow(`${place.directory}/composer.json cannot be read: `)
  })

  test('on a base image uses its PHP', async () => {
    place.put('index.php', '')
    const base = (...paths: string[]): BaseImage => baseWith('php', ...paths)
    expect((await place.build(phpBuilder, {}, { base: base('/usr/local/bin/php') })).digests).toHaveLength(1)
    await expect(place.build(phpBuilder, {}, { base: base() })).rejects.toThrow(
      'the base image php has no PHP; name one that has',
    )
  })
})

const missing = findProgram('php') === undefined

describe.skipIf(missing)(
  `the PHP of this machine${missing ? ' (skipped: there is none; apt-get install php-cli)' : ''}`,
  () => {
    test('goes into an image, the same each time', async () => {
      place.put('index.php', '<?php echo 1;')
      const first = await place.build(phpBuilder)
      expect(first.files.get('usr/local/bin/php')?.content.slice(1, 4)).toBe('ELF')
      expect([...first.files.keys()].some(name => name.endsWith('/opcache.so'))).toBe(true)
      const second = await place.build(phpBuilder, {}, { cacheDirectory: place.folder('cache') })
      expect(second.digests).toEqual(first.digests)
    }, 60_000)
  },
)
