// Java and Maven that are none say what they were asked; where this machine has Java, its own goes into an image.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync, zipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findProgram } from '../../../host/cluster-programs.ts'
import { baseWith, BuildPlace, fakeProgram } from '../../../testing/build-place.ts'
import type { BaseImage } from '../base/base-image.ts'
import { packagesIn, readManifest, withoutTimes } from './jar.ts'
import { javaBuilder } from './java-builder.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.close()
})

function jar(files: Readonly<Record<string, string | Uint8Array>>, time = '2020-02-03'): Buffer {
  const all = Object.entries(files).map(
    ([path, content]) => [path, typeof content === 'string' ? Buffer.from(content) : content] as const,
  )
  return Buffer.from(zipSync(Object.fromEntries(all), { mtime: time }))
}

const manifest = (...lines: string[]): Record<string, string> => ({
  'META-INF/MANIFEST.MF': `Manifest-Version: 1.0\r\n${lines.join('\r\n')}\r\n`,
})
const properties = (group: string, artifact: string, version: string): Record<string, string> => ({
  [`META-INF/maven/${group}/${artifact}/pom.properties`]: `artifactId=${artifact}\ngroupId=${group}\nversion=${version}\n`,
})

describe('a jar', () => {
  test('says what it starts, over several lines', () => {
    expect(
      readManifest(jar(manifest('Main-Class: com.acme.', ' shop.Main', 'Class-Path: lib/a.jar lib/b', ' .jar'))),
    ).toEqual({
      mainClass: 'com.acme.shop.Main',
      classPath: ['lib/a.jar', 'lib/b.jar'],
    })
    expect(readManifest(jar({ a: '' }))).toEqual({ mainClass: undefined, classPath: [] })
  })

  test('is the same whenever it was made', () => {
    const files = { ...manifest('Main-Class: a'), 'a.class': 'x'.repeat(1000) }
    const [first, second] = [jar(files, '2020-02-03'), jar(files, '2024-05-06')]
    expect(first.equals(second)).toBe(false)
    expect(withoutTimes(first).equals(withoutTimes(second))).toBe(true)
    expect(Buffer.from(unzipSync(withoutTimes(first))['a.class']!).toString()).toBe('x'.repeat(1000))
  })

  test('lists the packages that it carries', () => {
    const inner = jar(properties('org.lib', 'lib', '2.0'))
    const content = { ...properties('com.acme', 'shop', '1.0'), 'BOOT-INF/lib/lib-2.0.jar': inner }
    expect(packagesIn(jar(content)).map(({ purl }) => purl)).toEqual([
      'pkg:maven/com.acme/shop@1.0',
      'pkg:maven/org.lib/lib@2.0',
    ])
  })
})

describe('a Java project', () => {
  let programs = ''
  beforeEach(() => {
    programs = place.folder('programs')
    const home = join(programs, 'home')
    place.put('home/bin/java', readFileSync('/bin/true'), 0o755, programs)
    place.put('home/lib/modules', 'modules', 0o644, programs)
    place.put('home/jmods-not', '', 0o644, programs)
    place.put('home/release', 'JAVA_VERSION="21"', 0o644, programs)
    fakeProgram(programs, 'java', `echo "    java.home = ${home}" >&2; echo "    java.version = 21.0.2" >&2`)
    vi.stubEnv('PATH', `${programs}:${process.env['PATH']}`)
    vi.stubEnv('JAVA_HOME', undefined)
  })

  const made = (name: string, ...lines: string[]): string =>
    place.put(`made/${name}`, jar({ ...manifest(...lines), ...properties('com.acme', 'shop', '1.0') }), 0o644, programs)
  const pretendMaven = (script: string): void =>
    fakeProgram(programs, 'mvn', `printf '%s\\n' "$@" > ${programs}/asked\n${script}`)

  test('is made by Maven and starts its jar, with its libraries in a layer of their own', async () => {
    const file = made('shop-1.0.jar', 'Main-Class: a.Main', 'Class-Path: lib/x.jar')
    pretendMaven(
      `mkdir -p target/lib; cp ${file} target/; cp ${file} target/original-shop-1.0.jar; cp ${file} target/lib/x.jar; cp ${file} target/shop-1.0-sources.jar`,
    )
    place.put(
      'pom.xml',
      '<project><parent><artifactId>parent</artifactId><version>9</version></parent><artifactId>shop</artifactId><version>1.0</version><dependencies><dependency><artifactId>x</artifactId><version>3</version></dependency></dependencies></project>',
    )
    expect(javaBuilder.describe(place.directory)).toEqual({ name: 'shop', version: '1.0' })
    const { files, config, components, digests, steps } = await place.build(javaBuilder)
    expect(config).toMatchObject({
      User: '1000:1000',
      Entrypoint: ['java'],
      Cmd: ['-XX:MaxRAMPercentage=75', '-XX:+ExitOnOutOfMemoryError', '-jar', '/app/shop-1.0.jar'],
      WorkingDir: '/app',
    })
    expect(digests).toHaveLength(4)
    expect(files.get('usr/local/lib/java/lib/modules')?.layer).toBe(1)
    expect(files.get('usr/local/bin/java')?.target).toBe('/usr/local/lib/java/bin/java')
    expect(files.get('app/lib/x.jar')?.layer).toBe(2)
    expect(files.get('app/shop-1.0.jar')?.layer).toBe(3)
    expect(components).toContainEqual({ name: 'shop', version: '1.0', purl: 'pkg:maven/com.acme/shop@1.0' })
    expect(components).toContainEqual({ name: 'openjdk', version: '21.0.2', purl: 'pkg:generic/openjdk@21.0.2' })
    expect(steps).toContain('mvn package')
    expect(readFileSync(join(programs, 'asked'), 'utf8')).toContain('-Dproject.build.outputTimestamp=')
    expect((await place.build(javaBuilder)).digests).toEqual(digests)
  })

  test('is made by its own wrapper of Gradle', async () => {
    const file = made('shop.jar', 'Main-Class: a.Main')
    place.put('build.gradle.kts', '')
    place.put('gradlew', `#!/bin/sh\nmkdir -p build/libs && cp ${file} build/libs/\n`, 0o755)
    expect((await place.build(javaBuilder)).steps).toContain('./gradlew assemble')
  })

  test('of Quarkus takes the whole folder', async () => {
    const file = made('quarkus-run.jar', 'Main-Class: a.Main', 'Class-Path: lib/main/x.jar')
    pretendMaven(
      `mkdir -p target/quarkus-app/lib/main target/quarkus-app/quarkus; cp ${file} target/quarkus-app/; cp ${file} target/quarkus-app/lib/main/x.jar; echo 1 > target/quarkus-app/quarkus/y.dat`,
    )
    place.put('pom.xml', '<project/>')
    const { files } = await place.build(javaBuilder)
    expect([
      files.get('app/quarkus-run.jar')?.layer,
      files.get('app/quarkus/y.dat')?.layer,
      files.get('app/lib/main/x.jar')?.layer,
    ]).toEqual([3, 3, 2])
  })

  test('that is a jar already needs no tool', async () => {
    place.put('shop.jar', jar(manifest('Main-Class: a.Main')))
    expect((await place.build(javaBuilder)).config.Cmd?.at(-1)).toBe('/app/shop.jar')
    place.put('shop.jar', 'no archive')
    await expect(place.build(javaBuilder)).rejects.toThrow(
      `${place.directory}/shop.jar cannot be read as a jar: invalid zip data`,
    )
  })

  test('whose jar does not start, or that has several, says so', async () => {
    place.put('pom.xml', '<project/>')
    const [one, other, none] = [made('one.jar', 'Main-Class: a'), made('other.jar', 'Main-Class: a'), made('none.jar')]
    pretendMaven(`mkdir -p target; cp ${none} target/`)
    await expect(place.build(javaBuilder)).rejects.toThrow(
      `expected a jar that starts by itself (Main-Class in its manifest) in target/quarkus-app, build/quarkus-app, target, build/libs, . of ${place.directory}, but there is none; let the build make one, with spring-boot`,
    )
    pretendMaven(`mkdir -p target; cp ${one} ${other} target/`)
    await expect(place.build(javaBuilder)).rejects.toThrow(
      `${place.directory}/target has several jars that start by themselves: one.jar, other.jar`,
    )
  })

  test('that cannot be made says what Maven said', async () => {
    place.put('pom.xml', '<project/>')
    pretendMaven('echo "[ERROR] COMPILATION ERROR : Shop.java:[3,1]"; exit 1')
    await expect(place.build(javaBuilder)).rejects.toThrow(
      /mvn .* failed in [\s\S]*COMPILATION ERROR : Shop.java:\[3,1\]/,
    )
  })

  test('on a base image uses its Java', async () => {
    place.put('shop.jar', jar(manifest('Main-Class: a.Main')))
    const base = (...paths: string[]): BaseImage => baseWith('temurin', ...paths)
    expect((await place.build(javaBuilder, {}, { base: base('/opt/java/openjdk/bin/java') })).digests).toHaveLength(1)
    await expect(place.build(javaBuilder, {}, { base: base() })).rejects.toThrow(
      'the base image temurin has no Java; name one that has',
    )
  })
})

const missing = findProgram('java') === undefined

describe.skipIf(missing)(
  `the Java of this machine${missing ? ' (skipped: there is none; apt-get install default-jdk-headless)' : ''}`,
  () => {
    test('goes into an image, the same each time', async () => {
      place.put('shop.jar', jar(manifest('Main-Class: a.Main')))
      const first = await place.build(javaBuilder)
      expect(first.files.get('usr/local/lib/java/bin/java')?.content.slice(1, 4)).toBe('ELF')
      expect([...first.files.keys()].some(name => name.endsWith('/libjvm.so'))).toBe(true)
      const second = await place.build(javaBuilder, {}, { cacheDirectory: place.folder('cache') })
      expect(second.digests).toEqual(first.digests)
    }, 240_000)
  },
)
