// `npm run boot-test [-- bookworm|trixie]`: Sampan as a service of a machine, from boot to boot. A virtual machine
// with a stock Debian (systemd, control groups version 2, AppArmor) gets Sampan as npm packs it; clusters are
// started by hand and as a service, and the machine is powered off with pods running and booted again. Takes
// minutes, so it is no part of `npm test`. Prints one line for each check, and at last `N passed, N failed`.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../src/host/command.ts'
import { debianDisk, fileSystem, suites, type Suite } from './boot-test/debian-disk.ts'
import { acceleration, VirtualMachine } from './boot-test/virtual-machine.ts'
import { bootPackages, ensurePackages } from './debian-packages.ts'
import { byHand } from './boot-test/by-hand.ts'
import { asContainer } from './boot-test/as-container.ts'
import { afterBoot, asService, uninstalled } from './boot-test/as-service.ts'
import { Checks } from './boot-test/checks.ts'

const repository = join(import.meta.dirname, '..')
const suite = (process.argv[2] ?? 'bookworm') as Suite
if (!suites.includes(suite)) {
  console.error(`error: expected one of ${suites.join(', ')}, found "${suite}"`)
  process.exit(1)
}
const problem = ensurePackages(bootPackages)
if (problem !== undefined) {
  console.error(`error: ${problem}`)
  process.exit(1)
}

const directory = mkdtempSync(join(tmpdir(), 'sampan-boot-'))
const checks = new Checks()
let machine: VirtualMachine | undefined
function clear(): void {
  machine?.kill()
  rmSync(directory, { recursive: true, force: true })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    clear()
    process.exit(1)
  })
try {
  const disk = await debianDisk(suite)
  const image = join(directory, 'disk')
  await run('cp', ['--sparse=always', disk.image, image], { timeoutMs: 300_000 })
  const installed = await installedSampan()
  const kind = await acceleration(disk)
  console.log(`Debian ${suite}, ${kind === 'kvm' ? 'on KVM' : 'emulated in software'}`)
  const boot = async (): Promise<VirtualMachine> => {
    const options = { disk: { ...disk, image }, others: [installed], directory, acceleration: kind }
    machine = new VirtualMachine(options)
    await machine.ready()
    return machine
  }
  await byHand(await boot(), checks)
  await asService(await boot(), checks)
  const last = await boot()
  await afterBoot(last, checks)
  await asContainer(last, checks)
  await uninstalled(last, checks)
} catch (error) {
  checks.failed('the machine', (error as Error).message)
} finally {
  clear()
}
console.log(checks.summary)
process.exitCode = checks.isGood ? 0 : 1

/** A disk for /usr/local with what `npm install --global` puts there. */
async function installedSampan(): Promise<string> {
  const prefix = join(directory, 'prefix')
  mkdirSync(prefix)
  const environment = { ...process.env, npm_config_update_notifier: 'false' }
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', directory], {
    directory: repository,
    environment,
    timeoutMs: 300_000,
  })
  const file = join(directory, stdout.trim().split('\n').at(-1)!)
  await run('npm', ['install', '--silent', '--global', '--prefix', prefix, file], { environment, timeoutMs: 300_000 })
  const image = join(directory, 'installed')
  await fileSystem(prefix, image, '1G')
  rmSync(prefix, { recursive: true })
  return image
}
