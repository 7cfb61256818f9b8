// Bundles Sampan into dist/: the command, the server, and the store's worker thread.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { bundle } from './bundle.ts'

rmSync('dist', { recursive: true, force: true })
const { outputs } = await bundle(
  { sampan: 'src/main/cli.ts', server: 'src/main/server-process.ts', 'sqlite-worker': 'src/store/sqlite-worker.ts' },
  'dist',
  buildInfo(),
)
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
