// From an edit to what comes of it, on the frontend of examples/geo, in a cluster in a network namespace of its own: builds
// of nothing, of one changed file and of a changed lock file, and `sampan dev` by files and by images.
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterFixture, geoDirectory, sampanProgram, succeeded } from '../../src/testing/cluster-fixture.ts'
import type { Figures } from './figures.ts'

const rounds = 5

export async function loop(figures: Figures): Promise<void> {
  const cluster = await ClusterFixture.up('bench-loop')
  try {
    const directory = join(cluster.directory, 'geo-frontend')
    cpSync(join(geoDirectory, 'frontend'), directory, { recursive: true })
    await builds(figures, cluster, directory)
    await saves(figures, cluster, directory, 'restart', 'file')
    await saves(figures, cluster, directory, 'image', 'image')
  } finally {
    await cluster.close()
  }
}

async function builds(figures: Figures, cluster: ClusterFixture, directory: string): Promise<void> {
  const build = async (): Promise<void> =>
    void succeeded(await cluster.run(sampanProgram, ['build'], { directory, timeoutMs: 120_000 }))
  await build()
  await build()
  await figures.timed('build: nothing changed', build)
  edit(directory, 'built')
  await figures.timed('build: one file changed', build)
  const lockFile = join(directory, 'package-lock.json')
  writeFileSync(lockFile, `${readFileSync(lockFile, 'utf8')}\n`)
  await figures.timed('build: lock file changed', build)
  const copy = join(cluster.directory, 'npm')
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(directory, name), join(copy, name))
  await figures.timed('npm ci alone', () =>
    cluster.run('npm', ['ci', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund'], { directory: copy }),
  )
}

/** What the health check answers. */
function edit(directory: string, word: string): void {
  const file = join(directory, 'src/main.ts')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/status: '[\w-]*'/, `status: '${word}'`))
}

async function saves(
  figures: Figures,
  cluster: ClusterFixture,
  directory: string,
  reload: string,
  what: string,
): Promise<void> {
  const manifest = join(directory, 'app.yml')
  writeFileSync(
    manifest,
    `${readFileSync(manifest, 'utf8').replace(/\ndev: .*\n/, '\n')}\ndev: { reload: ${reload} }\n`,
  )
  edit(directory, 'ok')
  const loopProcess = cluster.spawn(sampanProgram, ['dev', '-e', 'test'], { directory })
  const ended = once(loopProcess, 'exit')
  try {
    await answers(cluster, 'ok')
    const times: number[] = []
    for (let round = 1; round <= rounds; round++) {
      const word = `${reload}-${round}`
      const startMs = performance.now()
      edit(directory, word)
      await answers(cluster, word)
      times.push(performance.now() - startMs)
    }
    figures.all[`dev: from saving a file to new code answering, by ${what}`] = Math.round(
      times.toSorted((left, right) => left - right)[Math.floor(rounds / 2)]!,
    )
  } finally {
    loopProcess.kill('SIGINT')
    await ended
  }
}

/** One client that asks without a pause, in the cluster's network, as users do. */
async function answers(cluster: ClusterFixture, word: string): Promise<void> {
  const script = `
    for (;;) {
      const answer = await fetch('http://127.0.0.1:30080/healthz').then(found => found.text()).catch(() => '')
      if (answer.includes(JSON.stringify(process.argv[1]))) break
    }`
  succeeded(await cluster.run(process.execPath, ['--input-type=module', '--eval', script, word], { timeoutMs: 60_000 }))
}
