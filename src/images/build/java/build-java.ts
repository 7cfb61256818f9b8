// Java and other languages of its machine: a jar that starts by itself, ready in the folder or made by Maven or
// Gradle, on the Java of this machine.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join, normalize } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { runBuild } from '../command/run-build.ts'
import type { Component, ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { applicationFolder, containerConfig } from '../layers/container-config.ts'
import { foundation } from '../layers/foundation.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { runTool } from '../run-tool.ts'
import { packagesIn, readManifest, withoutTimes, type JarManifest } from './jar.ts'
import { describeJava, gradleFiles } from './java-project.ts'
import { findJava, javaFolder, javaLayer, javaLibraries } from './java-runtime.ts'

/** @throws BuildError */
export async function buildJava(context: BuildContext): Promise<ImageContent> {
  const { directory, settings, base, progress } = context
  if (base !== undefined && !javaPlaces.some(place => base.has(place)))
    throw new BuildError(`the base image ${base.name} has no Java; name one that has, such as eclipse-temurin:21-jre`)
  const java = base === undefined ? await findJava(context) : undefined
  if (settings.run !== undefined) await runBuild(context)
  else if (settings.output === undefined) await make(context)
  const { name, version } = describeJava(directory)
  const program = await findProgramJar(placesOf(directory, settings.output), `${name}-${version}.jar`, directory)
  const below = await foundation(context, [], java === undefined ? [] : await javaLibraries(java))
  const runtime = java === undefined ? undefined : await javaLayer(context, java, below)
  if (runtime !== undefined) progress('Java', runtime.cached)
  const libraries = await librariesLayer(context, program.libraries)
  const application = await applicationLayer(context, program.entries)
  return {
    layers: [...below.layers, runtime ?? [], libraries ?? [], application].flat(),
    config: containerConfig({
      command: settings.start ?? ['java', ...memoryOptions, '-jar', `/${applicationFolder}/${program.jar}`],
      // Before Java 18, text is read and written as the language of the surroundings says.
      variables: { LANG: 'C.UTF-8', ...(java !== undefined && { JAVA_HOME: `/${javaFolder}` }) },
    }),
    components: [...below.components, ...(runtime?.components ?? []), ...program.components],
  }
}

const javaPlaces = ['/opt/java/openjdk/bin/java', '/usr/bin/java', '/usr/local/bin/java', '/usr/local/openjdk/bin/java']

/** Of the memory that the container may use; and its end where it does not suffice, so that it is started again. */
const memoryOptions = ['-XX:MaxRAMPercentage=75', '-XX:+ExitOnOutOfMemoryError']

/** Runs Maven or Gradle; the project's own wrapper comes before what this machine has. */
async function make(context: BuildContext): Promise<void> {
  const { directory, progress } = context
  const isMaven = existsSync(join(directory, 'pom.xml'))
  if (!isMaven && !gradleFiles.some(name => existsSync(join(directory, name)))) return
  const [wrapper, program, args] = isMaven
    ? (['mvnw', 'mvn', mavenArguments] as const)
    : (['gradlew', 'gradle', gradleArguments] as const)
  const command = existsSync(join(directory, wrapper)) ? `./${wrapper}` : program
  await runTool(command, args, {
    directory,
    project: directory,
    tells: 'first',
    missing: `${directory} is built by ${isMaven ? 'Maven' : 'Gradle'}, which is missing on this machine; install it with: apt-get install ${isMaven ? 'maven' : 'gradle'}, or add the project's wrapper (${wrapper})`,
  })
  progress(`${command} ${args.at(-1)}`, false)
}

const mavenArguments = [
  '--batch-mode',
  '--quiet',
  '-DskipTests',
  // Jars of the same sources are the same.
  '-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z',
  'package',
]
const gradleArguments = ['--console=plain', '--quiet', 'assemble']

const placesOf = (directory: string, output: string | undefined): string[] =>
  output === undefined
    ? ['target/quarkus-app', 'build/quarkus-app', 'target', 'build/libs', '.'].map(place => join(directory, place))
    : [join(directory, output)]

interface ProgramJar {
  /** Its name in the image. */
  readonly jar: string
  readonly entries: readonly LayerEntry[]
  /** Other jars that it names, and their places in the image. */
  readonly libraries: readonly LayerEntry[]
  readonly components: readonly Component[]
}

/** The one that starts by itself. @throws BuildError */
async function findProgramJar(places: readonly string[], likely: string, directory: string): Promise<ProgramJar> {
  for (const place of places) {
    const found = await startingJars(place)
    const names = found.map(({ name }) => name)
    const taken = found.length === 1 ? found[0] : found.find(({ name }) => name === likely)
    if (taken !== undefined) return programJar(place, taken)
    if (found.length > 0)
      throw new BuildError(
        `${place} has several jars that start by themselves: ${names.join(', ')}; remove those of other builds`,
      )
  }
  throw new BuildError(
    `expected a jar that starts by itself (Main-Class in its manifest) in ${places.map(place => place.slice(directory.length + 1) || '.').join(', ')} of ${directory}, but there is none; let the build make one, with spring-boot, shade, shadow or the jar plug-in's mainClass`,
  )
}

interface StartingJar extends JarManifest {
  readonly name: string
  readonly content: Buffer
}

async function startingJars(place: string): Promise<StartingJar[]> {
  if (!existsSync(place)) return []
  const names = readdirSync(place).filter(
    name => name.endsWith('.jar') && !/^original-|-(?:sources|javadoc|tests|plain)\.jar$/.test(name),
  )
  const jars = await Promise.all(
    names.toSorted().map(async name => {
      const content = await readFile(join(place, name))
      return { name, content, ...manifestOf(content, join(place, name)) }
    }),
  )
  return jars.filter(({ mainClass }) => mainClass !== undefined)
}

function manifestOf(content: Buffer, file: string): JarManifest {
  try {
    return readManifest(content)
  } catch (error) {
    throw new BuildError(`${file} cannot be read as a jar: ${(error as Error).message}`)
  }
}

async function programJar(place: string, { name, content, classPath }: StartingJar): Promise<ProgramJar> {
  // Quarkus' own way: everything beside the jar belongs to it.
  const isWhole = basename(place) === 'quarkus-app'
  const beside = isWhole
    ? (await entriesBelow(place, applicationFolder)).filter(({ path }) => path !== `${applicationFolder}/${name}`)
    : classPath
        .filter(path => !path.includes(':') && existsSync(join(place, path)))
        .map((path): LayerEntry => ({
          path: join(applicationFolder, normalize(path)),
          kind: 'file',
          source: join(place, path),
        }))
  const jars = beside.flatMap(entry =>
    entry.kind === 'file' && entry.path.endsWith('.jar') ? String(entry.source) : [],
  )
  const contents = await Promise.all(jars.map(jar => readFile(jar)))
  return {
    jar: name,
    entries: [
      { path: `${applicationFolder}/${name}`, kind: 'file', source: withoutTimes(content) },
      ...beside.filter(({ path }) => !/\/lib\//.test(path)),
    ],
    libraries: beside.filter(({ path }) => /\/lib\//.test(path)),
    components: [content, ...contents].flatMap(jar => packagesIn(jar)),
  }
}

/** Libraries change seldom, and have a layer of their own; it is known by what is in them. */
async function librariesLayer(context: BuildContext, libraries: readonly LayerEntry[]): Promise<KeptLayer | undefined> {
  if (libraries.length === 0) return undefined
  const hash = createHash('sha256')
  for (const entry of libraries) {
    hash.update(entry.path)
    if (entry.kind === 'file') hash.update(await readFile(String(entry.source)))
  }
  const layer = await keptLayer(context, `jars-${hash.digest('hex').slice(0, 16)}`, async () => ({
    entries: libraries,
  }))
  context.progress('dependencies', layer.cached)
  return layer
}
