// Projects without a start script whose build makes what is served: by a server of theirs, or as files alone.
import { productionDependencies, type PackageJson } from './package-json.ts'

/** Dependency -> what starts what its build makes. */
const servers: readonly (readonly [name: string, start: string])[] = [
  ['next', 'next start'],
  ['nuxt', 'node .output/server/index.mjs'],
  ['@nestjs/core', 'node dist/main.js'],
  ['@sveltejs/adapter-node', 'node build'],
  ['@remix-run/serve', 'remix-serve build/server/index.js'],
  ['@react-router/serve', 'react-router-serve build/server/index.js'],
  ['@astrojs/node', 'node dist/server/entry.mjs'],
]

/** Words of the build script -> folder with the files. */
const sites: readonly (readonly [pattern: RegExp, folder: string])[] = [
  [/\b(?:vite|astro|vue-cli-service|parcel) build\b/, 'dist'],
  [/\breact-scripts build\b/, 'build'],
  [/\bng build\b/, 'dist/NAME/browser'],
  [/\bnuxt generate\b/, '.output/public'],
]

/** @returns what to do, where a build makes it all; undefined: there is no such build */
export function madeSite(json: PackageJson): string | undefined {
  const build = json.scripts?.['build'] ?? ''
  const dependencies = { ...json.devDependencies, ...productionDependencies(json) }
  const server = servers.find(([name]) => Object.hasOwn(dependencies, name))
  if (server !== undefined) return `give it one: "start": "${server[1]}"`
  const site = sites.find(([pattern]) => pattern.test(build))
  if (site === undefined) return undefined
  return `"${build}" makes a site of files, which needs no Node.js; write into app.yml "build: { with: static, output: ${site[1]} }", or give it a start script, if it has a server of its own`
}
