// `npm test`: everything there is to check, on a fresh Debian machine too. Prints one line for each part as
// it is done, the details of what failed, and as its very last line `N passed, N failed, N skipped`.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensurePackages, testPackages } from './debian-packages.ts'
import { checks } from './checks.ts'
import { countOf, noTests, sum, type Count, type VitestReport } from './test-count.ts'

const root = join(import.meta.dirname, '..')
const directory = mkdtempSync(join(tmpdir(), 'sampan-test-'))
const shownLines = 60

function run(program: string, args: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise(resolve => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe', process.stdout],
      env: { ...process.env, NO_COLOR: '1' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    child.once('error', error => resolve({ status: 1, output: error.message }))
    child.once('close', status => resolve({ status: status ?? 1, output }))
  })
}

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`

function say(name: string, result: string, sinceMs: number): void {
  console.log(`${name.padEnd(12)} ${result.padEnd(40)} ${seconds(sinceMs)}`)
}

async function check({ name, script }: (typeof checks)[number]): Promise<Count> {
  const startMs = performance.now()
  const { status, output } = await run('npm', ['run', '--silent', script])
  say(name, status === 0 ? 'passed' : 'FAILED', startMs)
  if (status !== 0) console.log(output.trimEnd().split('\n').slice(-shownLines).join('\n'))
  return status === 0 ? { ...noTests, passed: 1 } : { ...noTests, failed: 1 }
}

async function tests(project: 'unit' | 'e2e'): Promise<Count> {
  const startMs = performance.now()
  const report = join(directory, `${project}.json`)
  const { status, output } = await run(process.execPath, [
    'node_modules/vitest/vitest.mjs',
    'run',
    `--project=${project}*`,
    '--reporter=json',
    '--reporter=dot',
    // Its lines come at once, through the fourth of the streams above.
    '--reporter=./scripts/slow-files-reporter.ts',
    `--outputFile.json=${report}`,
  ])
  const { count, failures } = countOf(readReport(report), status)
  say(`${project} tests`, `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`, startMs)
  for (const failure of failures) console.log(`  FAILED ${failure}`)
  if (count.failed > 0) console.log(output.trimEnd().split('\n').slice(-shownLines).join('\n'))
  return count
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport
  } catch {
    return undefined
  }
}

const problem = ensurePackages(testPackages)
const counts: Count[] = []
for (const one of checks) counts.push(await check(one))
counts.push(await tests('unit'))
if (problem === undefined && process.getuid?.() === 0) counts.push(await tests('e2e'))
else {
  console.log(`e2e tests    FAILED: ${problem ?? 'they start containers, which needs root'}`)
  counts.push({ ...noTests, failed: 1 })
}
rmSync(directory, { recursive: true, force: true })
const { passed, failed, skipped } = sum(counts)
process.exitCode = failed === 0 ? 0 : 1
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
