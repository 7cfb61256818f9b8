import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../../host/cluster-programs.ts'
import { BuildPlace } from '../../../testing/build-place.ts'
import { goBuilder } from './go-builder.ts'

const waitMs = 120_000

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
  place.put('go.mod', 'module example.com/team/hello/v2\n\ngo 1.19\n')
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.close()
})

const main = (text: string): string =>
  `package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(${JSON.stringify(text)}) }\n`

const missing = findProgram('go') === undefined

describe.skipIf(missing)(
  `a Go project${missing ? ' (skipped: there is no Go; apt-get install golang-go)' : ''}`,
  () => {
    test(
      'becomes one static program, started as nobody special, with the files that it may read',
      async () => {
        place.put('main.go', main('hello'))
        place.put('templates/page.html', '<p>')
        place.put('internal/deep/data.sql', 'select 1')
        place.put('.env', 'SECRET=1')
        place.put('.dockerignore', '*.sql\n**/*.sql\n')
        place.put('app.yml', 'name: hello')
        const { files, config, layers } = await place.build(goBuilder)
        expect(goBuilder.describe(place.directory)).toEqual({ name: 'hello', version: undefined })
        expect(config).toMatchObject({
          User: '1000:1000',
          Entrypoint: ['/app/hello'],
          Cmd: [],
          WorkingDir: '/app',
          StopSignal: 'SIGTERM',
        })
        const program = files.get('app/hello')
        expect(program).toMatchObject({ mode: 0o755, layer: 1 })
        expect([...files.keys()].filter(name => name.startsWith('app/'))).toEqual([
          'app/hello',
          'app/internal',
          'app/internal/deep',
          'app/templates',
          'app/templates/page.html',
        ])
        expect(files.get('etc/passwd')?.content).toContain('node:x:1000')
        expect([...files.keys()].filter(name => /lib(?:c|64)|bin\/sh/.test(name))).toEqual([])
        expect(layers).toHaveLength(2)
      },
      waitMs,
    )

    test(
      'is the same to the byte when it is built again, elsewhere and later',
      async () => {
        place.put('main.go', main('hello'))
        const first = await place.build(goBuilder)
        const copy = place.copyOf(place.directory)
        const second = await place.build(goBuilder, {}, { directory: copy, cacheDirectory: place.folder('cache') })
        expect(second.digests).toEqual(first.digests)
        expect(second.config).toEqual(first.config)
      },
      waitMs,
    )

    test(
      'of several programs starts the one of its own name, or the one that was said, with arguments',
      async () => {
        place.put('cmd/hello/main.go', main('hello'))
        place.put('cmd/worker/main.go', main('worker'))
        expect((await place.build(goBuilder)).config).toMatchObject({ Entrypoint: ['/app/hello'] })
        expect((await place.build(goBuilder, { start: ['./worker', '--all'] })).config).toMatchObject({
          Entrypoint: ['/app/worker'],
          Cmd: ['--all'],
        })
        await expect(place.build(goBuilder, { start: ['web'] })).rejects.toThrow(
          'build.start: there is no main package "web" in ' + place.directory + '; there is hello, worker',
        )
      },
      waitMs,
    )

    test(
      'of several programs, none of which is named like it, asks which',
      async () => {
        place.put('cmd/api/main.go', main('api'))
        place.put('cmd/worker/main.go', main('worker'))
        await expect(place.build(goBuilder)).rejects.toThrow(
          `${place.directory} has several of the kind "main package": api, worker; say which one is started, in app.yml: build: { start: api }`,
        )
      },
      waitMs,
    )

    test(
      'without a program says so',
      async () => {
        place.put('lib.go', 'package lib\n')
        await expect(place.build(goBuilder)).rejects.toThrow(
          `expected a main package in ${place.directory}, but there is none`,
        )
      },
      waitMs,
    )

    test(
      'that does not compile fails with what the compiler said',
      async () => {
        place.put('main.go', 'package main\n\nfunc main() { nothing() }\n')
        await expect(place.build(goBuilder)).rejects.toThrow(
          /go build .* failed in [\s\S]*main.go:3:15: undefined: nothing/,
        )
      },
      waitMs,
    )

    test(
      'uses vendored modules, which are in its list of contents',
      async () => {
        place.put('go.mod', 'module example.com/hello\n\ngo 1.19\n\nrequire example.com/greet v1.2.0\n')
        place.put('vendor/modules.txt', '# example.com/greet v1.2.0\n## explicit\nexample.com/greet\n')
        place.put('vendor/example.com/greet/greet.go', 'package greet\n\nconst Text = "hi"\n')
        place.put('main.go', 'package main\n\nimport "example.com/greet"\n\nfunc main() { println(greet.Text) }\n')
        vi.stubEnv('GOFLAGS', '-mod=vendor')
        const { components, files } = await place.build(goBuilder)
        expect(components).toContainEqual({
          name: 'example.com/greet',
          version: 'v1.2.0',
          purl: 'pkg:golang/example.com/greet@v1.2.0',
        })
        expect(components.map(({ name }) => name)).toContain('stdlib')
        expect([...files.keys()].filter(name => name.includes('vendor'))).toEqual([])
      },
      waitMs,
    )

    test(
      'with code in C brings the libraries that it links',
      async () => {
        place.put(
          'main.go',
          'package main\n\n// #include <stdlib.h>\nimport "C"\n\nfunc main() { println(int(C.abs(-3))) }\n',
        )
        const { files, components } = await place.build(goBuilder)
        expect([...files.keys()].some(name => name.endsWith('/libc.so.6'))).toBe(true)
        expect(files.get('app/hello')?.content.slice(1, 4)).toBe('ELF')
        expect(components.map(({ name }) => name)).toContain('libc6')
      },
      waitMs,
    )

    test(
      'is made by another command where one is said',
      async () => {
        place.put('make.sh', '#!/bin/sh\nmkdir -p out && cp /bin/true out/hello\n', 0o755)
        const { config, steps, files } = await place.build(goBuilder, {
          run: ['./make.sh'],
          output: 'out',
          start: ['./hello'],
        })
        expect(config.Entrypoint).toEqual(['/app/hello'])
        expect(steps).toContain('./make.sh')
        expect([...files.keys()].some(name => name.endsWith('/libc.so.6'))).toBe(true)
      },
      waitMs,
    )
  },
)
