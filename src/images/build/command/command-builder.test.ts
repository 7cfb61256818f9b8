import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { baseWith, BuildPlace, type Built } from '../../../testing/build-place.ts'
import type { BaseImage } from '../base/base-image.ts'
import type { BuildSettings } from '../settings.ts'
import { commandBuilder } from './command-builder.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
})
afterEach(() => place.close())

const build = (settings: Partial<BuildSettings>, base?: BaseImage): Promise<Built> =>
  place.build(commandBuilder, settings, base === undefined ? {} : { base })

/** A program of this machine stands for one that was made. */
const program = (path: string, change: (bytes: Buffer) => void = () => {}): void => {
  const bytes = readFileSync('/bin/true')
  change(bytes)
  place.put(path, bytes, 0o755)
}

describe('a folder and a command', () => {
  test('become an image with what the command makes and the libraries that it loads', async () => {
    place.put('make.sh', '#!/bin/sh\nmkdir -p dist/data && cp /bin/true dist/server && echo 1 > dist/data/x\n', 0o755)
    place.put('source.c', '')
    const { files, config, components } = await build({
      run: ['./make.sh'],
      output: 'dist',
      start: ['./server', '--port', '80'],
    })
    expect(config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['/app/server'],
      Cmd: ['--port', '80'],
      WorkingDir: '/app',
    })
    expect([...files.keys()].filter(name => name.startsWith('app/'))).toEqual(['app/data', 'app/data/x', 'app/server'])
    expect([...files.keys()].some(name => name.endsWith('/libc.so.6'))).toBe(true)
    expect(components.map(({ name }) => name)).toContain('libc6')
  })

  test('are the same to the byte when they are built again elsewhere', async () => {
    program('server')
    const first = await build({ start: ['server'] })
    const copy = place.copyOf(place.directory)
    const second = await place.build(
      commandBuilder,
      { start: ['server'] },
      { directory: copy, cacheDirectory: place.folder('cache') },
    )
    expect(second.digests).toEqual(first.digests)
  })

  test('with a command that fails end with what it said last', async () => {
    place.put('make.sh', '#!/bin/sh\nfor line in $(seq 30); do echo "line $line" >&2; done; exit 3\n', 0o755)
    const failing = build({ run: ['./make.sh', 'all'], start: ['x'] })
    await expect(failing).rejects.toThrow(
      new RegExp(`^\\./make.sh all failed in ${place.directory}:\nline 16\n[\\s\\S]*line 30$`),
    )
    await expect(build({ run: ['no-such-program'], start: ['x'] })).rejects.toThrow(/no-such-program was not found/)
  })

  test('with a program of this machine bring it along, and say that it is alone', async () => {
    place.put('x.txt', '')
    const { files, notes, config } = await build({ start: ['true'] })
    expect(config.Entrypoint).toEqual(['true'])
    expect(files.get('usr/local/bin/true')?.mode).toBe(0o755)
    expect(notes).toEqual([
      expect.stringMatching(/\/true of this machine goes into the image with its libraries, and nothing else/),
    ])
  })

  test('with node get Node.js', async () => {
    place.put('server.js', '')
    const { files } = await build({ start: ['node', 'server.js'] })
    expect(files.get('usr/local/bin/node')?.mode).toBe(0o755)
  })

  test('with a shell get one when they ask for it', async () => {
    place.put('start.sh', '#!/bin/sh\necho hi\n', 0o755)
    await expect(build({ start: ['./start.sh'] })).rejects.toThrow(
      'build.start: ./start.sh is a script for /bin/sh, which the image has not; say "shell: true" below build in app.yml',
    )
    const { files, steps } = await build({ start: ['./start.sh'], shell: true })
    expect(files.get('bin/sh')?.target).toBe('/usr/bin/busybox')
    expect(files.get('usr/bin/ls')?.target).toBe('busybox')
    expect(steps).toContain('shell')
  })
})

describe('a start command that cannot run is refused:', () => {
  test.each<[string, () => void, string[], RegExp]>([
    [
      'for another processor',
      () => program('server', bytes => bytes.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18)),
      ['./server'],
      /^server is for processors of the kind (?:arm64|x64), and this machine, for which the image is made, is \w+; build it for this machine/,
    ],
    [
      'for Windows',
      () => place.put('server', 'MZ\0', 0o755),
      ['./server'],
      /^server is a program for Windows; images need one for Linux/,
    ],
    [
      'for macOS',
      () => place.put('server', Buffer.from('cffaedfe00', 'hex'), 0o755),
      ['./server'],
      /^server is a program for macOS/,
    ],
    [
      'data',
      () => place.put('server', 'text', 0o755),
      ['./server'],
      /build.start: .\/server is neither a program nor a script that begins with "#!"/,
    ],
    ['not there', () => {}, ['./server'], /build.start: there is no .\/server in /],
    [
      'not there at all',
      () => {},
      ['no-such-program'],
      /build.start: no-such-program is neither in the folder that goes into the image nor a program of this machine/,
    ],
    [
      'for an interpreter that is not there',
      () => place.put('server', '#!/usr/bin/env ruby\n', 0o755),
      ['./server'],
      /server is a script for ruby, which the image has not; start ruby itself/,
    ],
    [
      'with a library that is not there',
      () =>
        place.put(
          'server',
          Buffer.from(
            readFileSync('/bin/ls').toString('latin1').replace('libselinux.so.1', 'libselinuy.so.1'),
            'latin1',
          ),
          0o755,
        ),
      ['./server'],
      /^server needs libselinuy.so.1, which this machine has not; install it with: apt-get install libselinuy1/,
    ],
  ])('%s', async (_name, make, start, message) => {
    make()
    place.put('other', '')
    await expect(build({ start })).rejects.toThrow(message)
  })

  test('none was said', async () => {
    await expect(build({})).rejects.toThrow(
      /cannot tell how the service is started; say it in app.yml, such as build: \{ run: make/,
    )
  })

  test('it must not be executed', async () => {
    program('server')
    execFileSync('chmod', ['a-x', join(place.directory, 'server')])
    await expect(build({ start: ['./server'] })).rejects.toThrow(
      `build.start: ./server must not be executed; allow it with: chmod +x ${place.directory}/server`,
    )
  })
})

describe('on a base image', () => {
  const base = (...paths: string[]): BaseImage => baseWith('debian:12', ...paths)

  test('a command uses what it has, and brings only libraries that it lacks, where its own are', async () => {
    expect((await build({ start: ['python3'] }, base('/usr/bin/python3'))).digests).toHaveLength(1)
    program('server')
    const libraries = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1']
    const { files } = await build({ start: ['./server'] }, base(...libraries))
    expect([...files.keys()].filter(name => /lib.*\.so/.test(name))).toEqual([
      expect.stringMatching(/^usr\/lib\/.*\/libc\.so\.6$/),
    ])
    await expect(build({ start: ['ruby'] }, base())).rejects.toThrow(
      'build.start: neither the service nor its base image debian:12 has ruby',
    )
  })
})
