// Runs a script of this folder with the Node.js that npm installed with Sampan, or with the present one if that
// is new enough. Plain JavaScript, so that Node.js 20 can run it: `node scripts/launch.mjs start.ts`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const name = `node-linux-${process.arch}`
const installed = join(root, 'node_modules', name, 'bin/node')
const [script = '', ...rest] = process.argv.slice(2)

const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24
if (!existsSync(join(root, 'node_modules')) || (!existsSync(installed) && !isNewEnough)) {
  console.error(
    existsSync(join(root, 'node_modules'))
      ? `error: expected the package ${name} in node_modules or Node.js 24, found Node.js ${process.versions.node}; run: npm ci`
      : "error: Sampan's packages are not installed; run: npm ci",
  )
  process.exit(1)
}
const node = existsSync(installed) ? installed : process.execPath
const { status } = spawnSync(node, [join(root, 'scripts', script), ...rest], { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
