// `sampan down`: ends the pods as if they were deleted, stops the server and containerd, and takes links and rules
// away; works just the same when the server is gone already. Pods and what is known of them stay for the next
// `up`; `--purge` deletes the data.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Output } from '../../cli/output.ts'
import { kubeconfigPaths, removeContext } from '../../client/kubeconfig.ts'
import { stopContainerd } from '../../cri/containerd.ts'
import { stopHaproxy } from '../../gateway/haproxy/haproxy-places.ts'
import { commandClock } from '../../host/machine-clock.ts'
import { removeLink } from '../../host/links.ts'
import { unmountBelow } from '../../host/mounts.ts'
import { ProcessPlace } from '../../host/process-place.ts'
import { removeRules } from '../../network/remove-rules.ts'
import { endRecorded } from '../../node/container-records.ts'
import { podsDirectory } from '../../node/pod-directories.ts'
import { connectControl } from '../control-socket.ts'
import { knownFacts, placesOf } from '../data-directory.ts'
import { refuseOfRoot, withName } from '../roots-cluster.ts'
import { isInstalled } from '../system-service.ts'

export interface DownOptions {
  readonly name: string
  readonly dataDir?: string
  readonly purge?: boolean
  /** Seconds that pods have to end, at most. */
  readonly timeout?: number
  /** The unit of systemd asks, not a person. */
  readonly service?: boolean
}

const usualSeconds = 60
/** Who deletes all data waits for nobody's last write to it. */
const purgeSeconds = 5

export async function down(options: DownOptions): Promise<void> {
  // systemd asks as well when the server has ended by itself: by `sampan down`, or for another one to take over.
  if (options.service === true && process.env['MAINPID'] === undefined) return
  const places = placesOf(options.name, options.dataDir)
  await refuseOfRoot(options.name, withName('sampan down', options.name))
  const output = new Output()
  const seconds = options.timeout ?? (options.purge ? purgeSeconds : usualSeconds)
  const facts = knownFacts(places)
  if (facts === undefined && !existsSync(places.state)) {
    output.line(`there is no cluster "${options.name}" in ${places.data}; nothing to do`)
    return
  }
  output.working('stopping the server')
  const running = await connectControl(places.controlSocket)
  const startMs = commandClock.now()
  let pods = 0
  await running?.stop(seconds, left => {
    pods = Math.max(pods, left.length)
    if (left.length > 0) return showLeft(output, left)
    if (pods > 0) output.done(`pods stopped (${pods})`)
    output.working('stopping the server')
  })
  output.done('server stopped')
  output.working('stopping the container runtime')
  await stopContainerd({
    dataDirectory: places.data,
    stateDirectory: places.state,
    place: new ProcessPlace(options.name),
    // What a server that is gone, or had too little time, has left.
    endContainers: runtime =>
      endRecorded(runtime, commandClock, Math.max(0, seconds - (commandClock.now() - startMs) / 1_000)),
  })
  output.done('container runtime stopped')
  await stopHaproxy({ dataDirectory: places.data, stateDirectory: places.state })
  // Somebody's own disk, for volumes say, stays where it is until all is deleted: the next `up` finds it.
  await unmountBelow(options.purge ? places.data : podsDirectory(places.data))
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
  if (options.service !== true && isInstalled(options.name))
    output.line(
      `it is a service of this machine and starts again at boot; end that with: ${withName('sampan uninstall', options.name)}`,
    )
}

const namesShown = 3

function showLeft(output: Output, left: readonly string[]): void {
  const names = left.slice(0, namesShown).join(', ')
  output.working(`stopping pods: ${left.length} left (${names}${left.length > namesShown ? ', ...' : ''})`)
}

/** A directory that is a disk of its own is emptied and stays, and so does a link with the directory that it leads to. */
function deleteData(directory: string): void {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true })
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!['EBUSY', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
