// Plain pages, as a folder is known to be of them; what makes the image is loaded when one is made.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Builder, Development, ProjectName } from '../builder.ts'
import { plainDevelopment } from '../command/plain-development.ts'
import { applicationFolder } from '../layers/container-config.ts'
import { projectDevelopment } from '../node/development.ts'
import type { PackageJson } from '../node/package-json.ts'
import { projectInputs, readProject } from '../node/project.ts'
import { readJson } from '../read-json.ts'
import type { BuildSettings } from '../settings.ts'
import { hasPackage, madeOutput, shownFiles, sourcesOf } from './static-files.ts'

const title = 'a static site'
const build: Builder['build'] = async context => (await import('./build-static.ts')).buildStatic(context)

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
