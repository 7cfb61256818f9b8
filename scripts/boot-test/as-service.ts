// The boots after the first: the cluster becomes a service, and has to be back by itself.
import { expectMatch, expectSame, show, untilMatch, type Checks } from './checks.ts'
import { serverPid } from './by-hand.ts'
import { containers, expectNodeReady, notes, untilAllRun } from './pods.ts'
import type { VirtualMachine } from './virtual-machine.ts'

const powerOffSeconds = 60
/** Debian's own containerd runs beside. */
const processesLeft = `pgrep -af '/sampan/|server\\.js'`

export async function asService(machine: VirtualMachine, checks: Checks): Promise<void> {
  await checks.check('a cluster that is no service is down after a boot, and up brings its pods back', async () => {
    expectMatch((await machine.run('sampan status')).output, /is down; start it with: sampan up/, 'status')
    await show(machine, 'sampan up')
    await untilAllRun(machine)
  })
  await checks.check('install makes it a service and leaves its containers alone', async () => {
    const before = await containers(machine)
    expectMatch(await show(machine, 'sampan install'), /starts at boot as sampan\.service/, 'install')
    expectSame(await show(machine, 'systemctl is-enabled sampan'), 'enabled', 'the unit')
    expectSame(await show(machine, 'systemctl is-active sampan'), 'active', 'the unit')
    expectSame(await show(machine, `cat /proc/$(${serverPid})/cgroup`), '0::/sampan.slice/sampan.service', 'the server')
    await untilAllRun(machine)
    expectSame(await containers(machine), before, 'containers')
  })
  await checks.check('installing again without a change changes nothing', async () => {
    const pid = await show(machine, serverPid)
    expectMatch(await show(machine, 'sampan install -o json'), /"changed":false/, 'install')
    expectSame(await show(machine, serverPid), pid, 'the server')
  })
  await checks.check('a server that dies is started again, and containers run on', async () => {
    const before = await containers(machine)
    const pid = await show(machine, serverPid)
    await show(machine, `kill -9 ${pid}`)
    await untilMatch(
      machine,
      `systemctl show --property=ActiveState,MainPID sampan | grep -v =${pid}$`,
      /MainPID=[1-9]\d*\n.*=active|=active\n.*MainPID=[1-9]/,
    )
    await expectNodeReady(machine)
    expectSame(await containers(machine), before, 'containers')
  })
  await checks.check('installing with another port moves the API, and containers run on', async () => {
    const before = await containers(machine)
    await show(machine, 'sampan install --api-port 7443')
    expectMatch(await show(machine, 'kubectl config view --minify'), /:7443/, 'the context')
    await untilAllRun(machine)
    expectSame(await containers(machine), before, 'containers')
  })
  await checks.check('an installation that fails is told and leaves the service as it was', async () => {
    const before = await containers(machine)
    const failed = await machine.run('sampan install --oidc-issuer-url http://issuer.example --oidc-client-id a')
    expectSame(failed.code, 1, 'exit code')
    expectMatch(failed.output, /sampan\.service does not start: .*https/, 'install')
    expectMatch(await show(machine, 'cat /etc/systemd/system/sampan.service'), /--api-port 7443/, 'the unit')
    await untilAllRun(machine)
    expectSame(await containers(machine), before, 'containers')
  })
  await checks.check('options for the service belong to install', async () => {
    expectMatch((await machine.run('sampan up --api-port 6443')).output, /is up already/, 'up')
    expectMatch(await show(machine, 'cat /etc/systemd/system/sampan.service'), /--api-port 7443/, 'the unit')
  })
  await checks.check('systemctl stop ends everything in order; up starts the service again', async () => {
    const before = await notes(machine)
    await show(machine, 'systemctl stop sampan')
    expectSame(await notes(machine), `${before}told to end\n`, 'what the pod noted')
    expectMatch((await machine.run(processesLeft)).output, /^$/, 'processes left')
    expectMatch((await machine.run('ls -d /sys/fs/cgroup/sampan.slice/*/')).output, /No such file/, 'groups left')
    expectMatch(
      (await machine.run('sampan up --api-port 6443')).output,
      /error: .*sampan install/,
      'up with other options',
    )
    expectMatch(await show(machine, 'sampan up'), /is up as sampan\.service/, 'up')
    await untilAllRun(machine)
  })
  await checks.check(`the machine powers off within ${powerOffSeconds} s`, async () => {
    await show(machine, 'cp /var/notes/told /var/notes/before && sync')
    const seconds = await machine.powerOff(powerOffSeconds * 2_000)
    console.log(`     it took ${seconds.toFixed(1)} s`)
    if (seconds > powerOffSeconds) throw new Error(`it took ${seconds.toFixed(1)} s`)
  })
}

export async function afterBoot(machine: VirtualMachine, checks: Checks): Promise<void> {
  await checks.check('after the next boot everything is back by itself', async () => {
    await untilMatch(machine, 'systemctl is-active sampan', /^active$/m)
    await untilAllRun(machine)
  })
  await checks.check('pods were told to end when the machine went down', async () => {
    expectSame(
      await notes(machine),
      `${await show(machine, 'cat /var/notes/before')}\ntold to end\n`,
      'what the pod noted',
    )
  })
}

export async function uninstalled(machine: VirtualMachine, checks: Checks): Promise<void> {
  await checks.check('uninstall takes everything away but the data', async () => {
    expectMatch(await show(machine, 'sampan uninstall'), /does not start at boot any more/, 'uninstall')
    expectMatch((await machine.run('systemctl status sampan')).output, /could not be found/, 'the unit')
    expectMatch((await machine.run(processesLeft)).output, /^$/, 'processes left')
    expectMatch((await machine.run('sampan status')).output, /is down/, 'status')
    expectMatch(await show(machine, 'sampan uninstall'), /nothing to do/, 'uninstall again')
  })
  await machine.powerOff(120_000)
}
