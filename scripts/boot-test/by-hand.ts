// The first boot: a cluster that is started by hand.
import { expectMatch, expectSame, show, untilMatch, type Checks } from './checks.ts'
import { containers, expectNodeReady, startPods } from './pods.ts'
import type { VirtualMachine } from './virtual-machine.ts'

/** Longer than the 30 seconds that a scope gives its processes, shorter than the 90 after which systemd stops waiting. */
const powerOffSeconds = 75

export const serverPid = `cat /run/sampan/sampan/server.pid`

export async function byHand(machine: VirtualMachine, checks: Checks): Promise<void> {
  await checks.check('the machine is a stock Debian: systemd, control groups version 2, AppArmor', async () => {
    expectMatch(await show(machine, 'cat /sys/fs/cgroup/cgroup.controllers'), /cpu .*memory/, 'controllers')
    expectMatch(await show(machine, 'cat /sys/kernel/security/lsm'), /apparmor/, 'security modules')
    await untilMatch(machine, 'systemctl is-system-running', /running/)
  })
  await checks.check('a cluster that is started within a service survives its end', async () => {
    await show(
      machine,
      'systemd-run --quiet --wait --unit=caller --setenv=HOME=/root --service-type=oneshot sampan up || { journalctl --unit caller; exit 1; }',
    )
    expectMatch((await machine.run('systemctl is-active caller')).output, /inactive/, 'the service')
    await expectNodeReady(machine)
    expectMatch(
      await show(machine, `cat /proc/$(${serverPid})/cgroup`),
      /^0::\/sampan\.slice\/sampan\.scope\/server$/,
      'the server',
    )
  })
  await checks.check('pods run, with their groups below the slice', async () => {
    await startPods(machine)
    const group = await polite(machine)
    expectMatch(group, /^\/sampan\.slice\/sampan\.scope\/pods\//, "the pod's group")
    expectSame(await show(machine, `cat /sys/fs/cgroup${group}/memory.max`), String(128 * 1024 * 1024), 'its limit')
    expectSame(await show(machine, `cat /sys/fs/cgroup${group}/cpu.max`), '50000 100000', 'its share')
  })
  await checks.check(
    'they have the resolvers behind systemd-resolved, and the default profile of AppArmor',
    async () => {
      expectMatch(await show(machine, 'cat /etc/resolv.conf'), /127\.0\.0\.53/, "the machine's resolver")
      const read =
        'for (const file of ["/etc/resolv.conf", "/proc/self/attr/current"]) console.log(fs.readFileSync(file, "utf8"))'
      const found = await show(machine, `kubectl exec polite -- node -e '${read}'`)
      expectMatch(found, /^nameserver 10\.0\.2\.3$/m, 'resolvers')
      if (found.includes('127.0.0.53')) throw new Error(`a resolver that no pod reaches: ${found}`)
      expectMatch(found, /^cri-containerd\.apparmor\.d \(enforce\)$/m, 'the profile')
    },
  )
  await checks.check('their limits survive systemctl daemon-reload', async () => {
    await show(machine, 'systemctl daemon-reload')
    const group = await polite(machine)
    expectSame(await show(machine, `cat /sys/fs/cgroup${group}/memory.max`), String(128 * 1024 * 1024), 'its limit')
  })
  await checks.check(
    'a server that is started in a login session survives its end, and takes the containers over',
    async () => {
      const before = await containers(machine)
      await show(machine, `kill -9 $(${serverPid})`)
      expectMatch(
        await show(machine, `su --login --command 'cat /proc/self/cgroup; sampan up' root`),
        /session-.*\.scope/,
        'the session',
      )
      await untilMatch(machine, 'loginctl --no-legend list-sessions | wc -l', /^0$/m)
      await expectNodeReady(machine)
      expectSame(await containers(machine), before, 'containers')
    },
  )
  await checks.check(`the machine powers off with pods running within ${powerOffSeconds} s`, async () => {
    const seconds = await machine.powerOff(powerOffSeconds * 2_000)
    console.log(`     it took ${seconds.toFixed(1)} s`)
    if (seconds > powerOffSeconds) throw new Error(`it took ${seconds.toFixed(1)} s`)
  })
}

/** The control group of the pod's container. */
async function polite(machine: VirtualMachine): Promise<string> {
  const id = (
    await show(machine, `kubectl get pod polite -o jsonpath='{.status.containerStatuses[0].containerID}'`)
  ).replace('containerd://', '')
  return (await show(machine, `cd /sys/fs/cgroup && find . -name ${id}`)).slice(1)
}
