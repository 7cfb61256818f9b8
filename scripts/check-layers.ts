// Runs dependency-cruiser over src/ and fails on a forbidden import, and also when it saw fewer modules
// than there are files: a parser that reads nothing must not look like a clean result.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const files = globSync('src/**/*.ts')
const run = spawnSync(
  process.execPath,
  [
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    'src',
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json',
  ],
  { encoding: 'utf8', maxBuffer: 1 << 28 },
)
if (run.stdout === '') {
  console.error(`check-layers: dependency-cruiser printed nothing: ${run.stderr}`)
  process.exit(1)
}
interface Cruise {
  modules: { source: string }[]
  summary: { violations: { from: string; to: string; rule: { name: string } }[] }
}
const { modules, summary } = JSON.parse(run.stdout) as Cruise
const seen = modules.filter(module => module.source.startsWith('src/')).length
for (const violation of summary.violations) console.error(`${violation.rule.name}: ${violation.from} → ${violation.to}`)
if (seen < files.length) console.error(`check-layers: ${seen} modules were read, but there are ${files.length} files`)
if (summary.violations.length > 0 || seen < files.length) process.exit(1)
console.log(`layers: ${seen} modules, no forbidden import`)
