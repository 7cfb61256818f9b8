// Runs a script of this folder with the Node.js that npm installed beside Sampan, whatever Node.js the
// machine has itself. Plain JavaScript, so that Node.js 20 can run it: `node scripts/launch.mjs start.ts`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const node = join(root, 'node_modules/node/bin/node')
const [script = '', ...rest] = process.argv.slice(2)

if (!existsSync(node)) {
  console.error(
    existsSync(join(root, 'node_modules'))
      ? 'error: Node.js 24 was not installed with Sampan, because npm did not run the install script of the package "node"; run: npm rebuild node'
      : "error: Sampan's packages are not installed; run: npm ci",
  )
  process.exit(1)
}
const { status } = spawnSync(node, [join(root, 'scripts', script), ...rest], { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
