// Plain pages: a folder with an index.html, or what a build makes of one, served by a small server of our own.
import { existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mimes } from 'mrmime'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { outputOf } from '../command/build-by-command.ts'
import { runBuild } from '../command/run-build.ts'
import type { ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { nodePath, nodeProgram } from '../layers/base-layer.ts'
import { applicationFolder, containerConfig } from '../layers/container-config.ts'
import { foundation } from '../layers/foundation.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { buildProject } from '../node/project-build.ts'
import { readProject } from '../node/project.ts'
import { hasPackage, madeOutput, shownFiles, sourcesOf, usualOutputs } from './static-files.ts'

/** In the image. */
const serverFolder = 'usr/local/lib/sampan'

/** @throws BuildError */
export async function buildStatic(context: BuildContext): Promise<ImageContent> {
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
