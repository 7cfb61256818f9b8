// Machines without a language's tools: one sentence says what is missing, for what, and how it comes.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { BuildPlace } from '../../testing/build-place.ts'
import { commandBuilder } from './command/command-builder.ts'
import { dockerfileBuilder } from './dockerfile/dockerfile-builder.ts'
import { goBuilder } from './go/go-builder.ts'
import { javaBuilder } from './java/java-builder.ts'
import { phpBuilder } from './php/php-builder.ts'
import { pythonBuilder } from './python/python-builder.ts'
import { rustBuilder } from './rust/rust-builder.ts'

const missing = new Set<string>()
vi.mock('../../host/command.ts', async original => {
  const module: typeof import('../../host/command.ts') = await original()
  return {
    ...module,
    run: async (...[program, ...rest]: Parameters<typeof module.run>) => {
      if (missing.has(program)) throw new module.MissingProgramError(program)
      return module.run(program, ...rest)
    },
  }
})

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
  vi.stubEnv('JAVA_HOME', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  missing.clear()
  place.close()
})

describe('a machine without', () => {
  test.each([
    [
      'go',
      goBuilder,
      { 'go.mod': 'module a' },
      'is a Go project (go.mod), and Go is missing on this machine; install it with: apt-get install golang-go',
    ],
    [
      'cargo',
      rustBuilder,
      { 'Cargo.toml': '' },
      'is a Rust project (Cargo.toml), and cargo is missing on this machine; install it with: apt-get install cargo',
    ],
    [
      'java',
      javaBuilder,
      { 'pom.xml': '<project/>' },
      'is a Java project, and Java is missing on this machine; install it with: apt-get install default-jdk-headless',
    ],
    [
      'php',
      phpBuilder,
      { 'index.php': '' },
      'is a PHP project, and PHP is missing on this machine; install it with: apt-get install php-cli',
    ],
    [
      'python3',
      pythonBuilder,
      { 'main.py': '' },
      'is a Python project, and Python is missing on this machine; install it with: apt-get install python3 python3-pip',
    ],
  ] as const)('%s says so', async (program, builder, files, message) => {
    missing.add(program)
    for (const [path, content] of Object.entries(files)) place.put(path, content)
    await expect(place.build(builder)).rejects.toThrow(`${place.directory} ${message}`)
  })

  test('anything that builds Dockerfiles says so', async () => {
    for (const program of ['buildctl', 'docker', 'buildah']) missing.add(program)
    place.put('Dockerfile', 'FROM scratch\n')
    await expect(place.build(dockerfileBuilder)).rejects.toThrow(
      'a Dockerfile is built by BuildKit (buildctl or docker buildx, with a daemon that can be reached) or by buildah, and none of them is there; install one with: apt-get install buildah',
    )
  })

  test('apt says so where packages are wanted', async () => {
    missing.add('apt-get')
    place.put('x', '')
    await expect(place.build(commandBuilder, { start: ['true'], packages: ['libvips42'] })).rejects.toThrow(
      `"packages" takes files from Debian's packages with apt-get, which this machine has not; build on Debian or Ubuntu, or with a Dockerfile`,
    )
  })
})
