// `sampan down`: stops the server, the pods, containerd, and takes links and rules away; works just the
// same when the server is gone already. `--purge` deletes the data too.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Output } from '../../cli/output.ts'
import { kubeconfigPaths, removeContext } from '../../client/kubeconfig.ts'
import { stopContainerd } from '../../cri/containerd.ts'
import { commandClock } from '../../host/machine-clock.ts'
import { removeLink } from '../../host/links.ts'
import { unmountBelow } from '../../host/mounts.ts'
import { removeRules } from '../../network/remove-rules.ts'
import { connectControl } from '../control-socket.ts'
import { knownFacts, placesOf } from '../data-directory.ts'
import { refuseOfRoot, withName } from '../roots-cluster.ts'

export interface DownOptions {
  readonly name: string
  readonly dataDir?: string
  readonly purge?: boolean
}

export async function down(options: DownOptions): Promise<void> {
  const places = placesOf(options.name, options.dataDir)
  await refuseOfRoot(options.name, withName('sampan down', options.name))
  const output = new Output()
  const facts = knownFacts(places)
  if (facts === undefined && !existsSync(places.state)) {
    output.line(`there is no cluster "${options.name}" in ${places.data}; nothing to do`)
    return
  }
  output.working('stopping the server')
  const running = await connectControl(places.controlSocket)
  await running?.stop()
  output.done('server stopped')
  output.working('stopping pods and the container runtime')
  await stopContainerd({ dataDirectory: places.data, stateDirectory: places.state })
  output.done('pods and container runtime stopped')
  await unmountBelow(places.data)
  if (facts !== undefined)
    await Promise.all([removeRules(facts.linkName, facts.network.podCidr), removeLink(facts.linkName)])
  rmSync(places.state, { recursive: true, force: true })
  output.done('network taken away')
  if (options.purge && facts !== undefined) {
    const { leaveCluster } = await import('../leave-cluster.ts')
    const left = await leaveCluster(places, facts, commandClock, text => output.working(text))
    if (left !== undefined) output.line(left)
    deleteData(places.data)
    removeContext(kubeconfigPaths(process.env)[0]!, options.name)
    output.done('data deleted')
  }
  output.line(`cluster "${options.name}" is down${options.purge ? '' : `; its data stays in ${places.data}`}`)
}

/** A directory that is a disk of its own is emptied and stays. */
function deleteData(directory: string): void {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true })
  try {
    rmdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
  }
}
