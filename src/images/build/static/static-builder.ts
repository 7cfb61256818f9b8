// Plain pages: a folder with an index.html, or what a build makes of one, served by a small server of our own.
import { existsSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mimes } from 'mrmime'
import { BuildError } from '../build-error.ts'
import type { BuildContext, Builder, Development, ProjectName } from '../builder.ts'
import { outputOf } from '../command/command-builder.ts'
import { plainDevelopment } from '../command/plain-development.ts'
import { runBuild } from '../command/run-build.ts'
import type { ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { nodePath, nodeProgram } from '../layers/base-layer.ts'
import { applicationFolder, containerConfig } from '../layers/container-config.ts'
import type { FileFilter } from '../layers/docker-ignore.ts'
import { foundation } from '../layers/foundation.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { serviceFiles } from '../layers/service-files.ts'
import type { PackageJson } from '../node/package-json.ts'
import { buildProject } from '../node/project-build.ts'
import { projectDevelopment } from '../node/development.ts'
import { projectInputs, readProject } from '../node/project.ts'
import { readJson } from '../read-json.ts'
import type { BuildSettings } from '../settings.ts'

const title = 'a static site'

const sourcesOf = (directory: string): FileFilter => serviceFiles(directory, { never: ['node_modules'] })

/** Pages as they are. The last thing that a folder may be. */
export const pagesBuilder: Builder = {
  name: 'static',
  title,
  looksFor: 'index.html',
  finds: (directory, { output }) =>
    output === undefined && existsSync(join(directory, 'index.html')) ? 'index.html' : undefined,
  describe: () => ({ name: undefined, version: undefined }),
  development: (directory, settings) => plainDevelopment(directory, settings, sourcesOf(directory)),
  build,
}

/** Pages that a build makes: of a package.json, which is no server then, or of `build.run`. */
export const siteBuilder: Builder = {
  name: 'static',
  title,
  looksFor: 'a package.json whose build script makes pages, or "build: { with: static, output: FOLDER }" in app.yml',
  finds,
  describe,
  inputs: directory => (hasPackage(directory) ? projectInputs(directory) : [directory]),
  development: siteDevelopment,
  build,
}

const hasPackage = (directory: string): boolean => existsSync(join(directory, 'package.json'))

/** The build runs on this machine; what it makes goes to where it is served. */
function siteDevelopment(directory: string, settings: BuildSettings): Development {
  if (!hasPackage(directory)) return plainDevelopment(directory, settings, sourcesOf(directory))
  return {
    ...projectDevelopment(readProject(directory), settings),
    roots: () => {
      const output = settings.output ?? madeOutput(directory)
      if (output === undefined) return []
      return [{ from: join(directory, output), to: `/${applicationFolder}`, filter: shownFiles }]
    },
  }
}

/** Their `start` is a server for whoever writes the pages. */
const generators = [
  '@11ty/eleventy',
  '@angular/cli',
  '@docusaurus/core',
  'astro',
  'gatsby',
  'hexo',
  'react-scripts',
  'vitepress',
  '@vue/cli-service',
]

function finds(directory: string, { with: asked, output, start }: BuildSettings): string | undefined {
  if (start !== undefined) return undefined
  if (asked === 'static' && output !== undefined) return 'build.output'
  const file = join(directory, 'package.json')
  if (!existsSync(file)) return undefined
  let json: PackageJson
  try {
    json = JSON.parse(readFileSync(file, 'utf8')) as PackageJson
  } catch {
    return undefined // The builder for Node.js says what is wrong with it.
  }
  const { scripts = {}, dependencies = {}, devDependencies = {} } = json
  if (scripts['build'] === undefined) return undefined
  const generator = generators.find(name => name in dependencies || name in devDependencies)
  if (asked === 'static') return 'the build script of package.json'
  if (generator !== undefined && isNoServer(scripts['start'])) return `${generator} in package.json`
  if (scripts['start'] !== undefined || json.main !== undefined) return undefined
  return existsSync(join(directory, 'index.html')) ? 'index.html beside a package.json with a build script' : undefined
}

const isNoServer = (start: string | undefined): boolean =>
  start === undefined ||
  /^(?:ng serve|(?:npx )?(?:astro|gatsby|hexo|docusaurus|react-scripts|eleventy|vitepress|vue-cli-service)\b)/.test(
    start,
  )

function describe(directory: string): ProjectName {
  const file = join(directory, 'package.json')
  if (!existsSync(file)) return { name: undefined, version: undefined }
  const { name, version } = readJson<PackageJson>(file)
  return { name: name?.replace(/^@/, ''), version }
}

/** Where build scripts put pages, unless `build.output` says it. */
const usualOutputs = ['dist', 'build', 'public', '_site', 'out', '.vitepress/dist']
const madeOutput = (directory: string): string | undefined =>
  usualOutputs.find(folder => existsSync(join(directory, folder, 'index.html')))
/** In the image. */
const serverFolder = 'usr/local/lib/sampan'

async function build(context: BuildContext): Promise<ImageContent> {
  const { base, nodeBinary } = context
  if (base !== undefined && !base.has(`/${nodePath}`) && !base.has('/usr/bin/node'))
    throw new BuildError(
      `the base image ${base.name} has no Node.js, which serves the pages; name one that has, such as node:24-slim, or none`,
    )
  const entries = await pagesOf(context)
  const below = await foundation(context, [nodeProgram(nodeBinary)])
  const server = serverFile()
  const place = `${serverFolder}/static-server${extname(server)}`
  const application = await applicationLayer(context, [
    ...entries,
    { path: place, kind: 'file', source: server },
    { path: `${serverFolder}/content-types.json`, kind: 'file', source: Buffer.from(JSON.stringify(mimes)) },
    // Says what kind of JavaScript the server is.
    { path: `${serverFolder}/package.json`, kind: 'file', source: Buffer.from('{"type":"module"}') },
  ])
  return {
    layers: [...below.layers, application],
    config: containerConfig({
      command: ['node', `/${place}`, `/${applicationFolder}`, ...(isSinglePage(entries) ? ['--single-page'] : [])],
      variables: { NODE_ENV: 'production' },
    }),
    components: below.components,
  }
}

async function pagesOf(context: BuildContext): Promise<LayerEntry[]> {
  const { directory, settings } = context
  const project = hasPackage(directory) ? readProject(directory) : undefined
  let { output } = settings
  if (project === undefined) await runBuild(context)
  else await buildProject(context, project)
  if ((project?.json.scripts?.['build'] ?? settings.run) !== undefined && output === undefined) {
    output = madeOutput(directory)
    if (output === undefined)
      throw new BuildError(
        `the build of ${directory} made no index.html in ${usualOutputs.join(', ')}; say where the pages are: build: { with: static, output: FOLDER }`,
      )
  }
  const found = outputOf(
    { directory, settings: { ...settings, ...(output !== undefined && { output }) } },
    sourcesOf(directory),
  )
  const entries = (await entriesBelow(found.directory, applicationFolder, found.filter)).filter(({ path }) =>
    shownFiles.includes(path),
  )
  if (!entries.some(({ path }) => path === `${applicationFolder}/index.html`))
    throw new BuildError(`expected an index.html in ${found.directory}, but there is none`)
  return entries
}

const shownFiles: FileFilter = {
  includes: path => !path.split('/').some(part => part.startsWith('.') && part !== '.well-known'),
  mayHold: () => false,
}

/** The only page there is, with a program in it that reads the path: nothing else could be found under another one. */
function isSinglePage(entries: readonly LayerEntry[]): boolean {
  const pages = entries.filter(({ path }) => path.endsWith('.html'))
  const [page] = pages
  return pages.length === 1 && page?.kind === 'file' && /<script\b/i.test(readFileSync(page.source, 'utf8'))
}

/** A file of its own beside the others in `dist`, or the source. */
function serverFile(): string {
  const compiled = fileURLToPath(new URL('./static-server.js', import.meta.url))
  return existsSync(compiled) ? compiled : fileURLToPath(new URL('./static-server.ts', import.meta.url))
}
