// Bundles Sampan into dist/: the command, the server, the store's worker thread, the agent of `sampan dev`, and the licenses of the
// libraries that are in them; and writes the schemas for editors into schema/.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, bundleAlone } from './bundle.ts'
import type { Starts } from './merge-chunks.ts'
import { writeSchemas } from './schemas.ts'

const command = 'src/main/cli.ts'
const server = 'src/main/server-process.ts'
const buildCommand = [command, 'src/cli/commands/build.ts', 'src/main/server-here.ts']
const starts: Starts = {
  // What people start again after each change.
  quick: [
    [command],
    buildCommand,
    [...buildCommand, 'src/images/build/make-image.ts', 'src/images/build/node/build-node.ts'],
    [command, 'src/cli/commands/deploy.ts'],
  ],
  // What runs all the time.
  lean: [[server]],
}

rmSync('dist', { recursive: true, force: true })
const { inputs, outputs } = await bundle(
  {
    sampan: command,
    server,
    'sqlite-worker': 'src/store/sqlite-worker.ts',
    agent: 'src/develop/agent/agent.ts',
  },
  'dist',
  { define: buildInfo(), starts },
)
await bundleAlone('src/develop/agent/agent.ts', 'dist/agent.js')
await bundleAlone('src/images/build/static/static-server.ts', 'dist/static-server.js')
const libraries = new Set(
  Object.keys(inputs).flatMap(path => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
)
writeFileSync('dist/LICENSES.txt', [...libraries].sort().map(licenseOf).join('\n\n'))
writeSchemas('schema')
const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(`dist: ${Object.keys(outputs).length} files, ${Math.round(bytes / 1024)} KB`)

/** For src/server/build-info.ts; nothing where the sources are in no repository. */
function buildInfo(): Record<string, string> {
  const { status, stdout } = spawnSync('git', ['log', '-1', '--format=%H %ct'], { encoding: 'utf8' })
  if (status !== 0) return {}
  const [commit, seconds] = stdout.trim().split(' ')
  const date = new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z')
  return { sampanBuild: JSON.stringify({ commit, date }) }
}

function licenseOf(directory: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<
    string,
    string
  >
  const file = readdirSync(directory).find(entry => /^licen[cs]e/i.test(entry))
  const text =
    file === undefined || !existsSync(join(directory, file)) ? '' : readFileSync(join(directory, file), 'utf8')
  return `${name} ${version} (${license})\n\n${text.trim()}`
}
