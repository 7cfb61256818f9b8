// Where the registry of a cluster of this machine listens.
import { CommandFailure } from '../../cli/output.ts'
import { connectControl } from '../control-socket.ts'
import { refuseOfRoot, withName } from '../roots-cluster.ts'
import { placesOf } from '../data-directory.ts'

export async function localRegistryAddress(clusterName: string): Promise<string> {
  const running = await connectControl(placesOf(clusterName, undefined).controlSocket)
  running?.close()
  if (running === undefined) await refuseOfRoot(clusterName, withName('sampan build', clusterName))
  if (running === undefined)
    throw new CommandFailure(
      `the cluster "${clusterName}" is down, so there is no registry to push to; start it with: sampan up, or name another one with --registry`,
    )
  return running.facts.registry
}
