// The Java of this machine as a kept layer: cut to what services use where the machine has jlink, else whole, without
// what only compilers and people need.
import { existsSync, realpathSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { librariesOf } from '../layers/base-layer.ts'
import { filesKey } from '../layers/files-key.ts'
import type { Foundation } from '../layers/foundation.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow } from '../layers/layer.ts'
import { nativeLibraries } from '../layers/native-libraries.ts'
import { runTool } from '../run-tool.ts'

export const javaFolder = 'usr/local/lib/java'

const plainLocale = '/usr/lib/locale/C.utf8'

export interface JavaOfMachine {
  /** Its `java.home`. */
  readonly home: string
  readonly version: string
}

/** @throws BuildError */
export async function findJava({ directory }: BuildContext): Promise<JavaOfMachine> {
  const program = process.env['JAVA_HOME'] === undefined ? 'java' : join(process.env['JAVA_HOME'], 'bin/java')
  const { stderr } = await runTool(program, ['-XshowSettings:properties', '-version'], {
    directory,
    project: directory,
    tells: 'first',
    missing: `${directory} is a Java project, and Java is missing on this machine; install it with: apt-get install default-jdk-headless`,
  })
  const value = (name: string): string | undefined => new RegExp(`^\\s*${name} = (.*)$`, 'm').exec(stderr)?.[1]
  const home = value('java\\.home')
  if (home === undefined) throw new BuildError(`${program} does not say where it is (java.home)`)
  return { home: realpathSync(home), version: value('java\\.version') ?? 'unknown' }
}

/** Paths of the libraries that it loads and does not bring itself. */
export const javaLibraries = async ({ home }: JavaOfMachine): Promise<string[]> =>
  (await librariesOf(join(home, 'bin/java'))).filter(path => !realpathSync(path).startsWith(`${home}/`))

/** What services use: everything but what shows windows and what develops programs. */
const modules =
  'java.base,java.desktop,java.instrument,java.logging,java.management,java.management.rmi,java.naming,java.net.http,java.prefs,java.rmi,java.scripting,java.security.jgss,java.security.sasl,java.sql,java.sql.rowset,java.transaction.xa,java.xml,java.xml.crypto,jdk.charsets,jdk.crypto.ec,jdk.jdwp.agent,jdk.jfr,jdk.localedata,jdk.management,jdk.management.agent,jdk.naming.dns,jdk.net,jdk.security.auth,jdk.unsupported,jdk.zipfs,jdk.httpserver'

export function javaLayer(context: BuildContext, java: JavaOfMachine, below: Foundation): Promise<KeptLayer> {
  const { home, version } = java
  const key = filesKey(
    [join(home, 'release'), join(home, 'bin/java')].filter(existsSync),
    '1',
    version,
    ...below.libraries,
  )
  return keptLayer(context, `java-${key}`, async making => {
    const runtime = join(making, 'java')
    const jlink = join(home, 'bin/jlink')
    if (existsSync(jlink) && existsSync(join(home, 'jmods')))
      await runTool(
        jlink,
        [
          `--add-modules=${modules}`,
          '--strip-java-debug-attributes',
          '--no-man-pages',
          '--no-header-files',
          '--compress=2',
          `--output=${runtime}`,
        ],
        { directory: making, project: home, tells: 'last' },
      )
    // Debian keeps its configuration behind links to /etc.
    else await cp(home, runtime, { recursive: true, dereference: true, filter: source => isNeeded(source, home) })
    const native = await nativeLibraries([runtime], below.libraries)
    const trusted = '/etc/ssl/certs/java/cacerts'
    const files = await entriesBelow(runtime, javaFolder)
    return {
      entries: [
        ...files.filter(({ path }) => !existsSync(trusted) || path !== `${javaFolder}/lib/security/cacerts`),
        ...(existsSync(trusted)
          ? [{ path: `${javaFolder}/lib/security/cacerts`, kind: 'file', source: realpathSync(trusted) } as const]
          : []),
        { path: 'usr/local/bin/java', kind: 'link', target: `/${javaFolder}/bin/java` },
        ...native.entries,
        // Without it, the C library knows no language that is written in UTF-8.
        ...(existsSync(plainLocale) ? await entriesBelow(plainLocale, plainLocale.slice(1)) : []),
      ],
      components: [{ name: 'openjdk', version, purl: `pkg:generic/openjdk@${encodeURIComponent(version)}` }],
    }
  })
}

const unneeded = /^\/(?:jmods|man|docs|include|demo|sample|src\.zip|lib\/src\.zip|lib\/ct\.sym|legal)(?:\/|$)/
const isNeeded = (source: string, home: string): boolean =>
  existsSync(source) && !unneeded.test(source.slice(home.length))
