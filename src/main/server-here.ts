// What the server of a cluster on this machine says of itself, for commands that would ask the cluster otherwise.
import type { RegistryAsked, ServerHere } from '../cli/cluster-registry.ts'
import { connectControl } from './control-socket.ts'
import { placesOf } from './data-directory.ts'

/** One that does not answer at once is busy, or was stopped: who wanted to know asks the cluster. */
const patienceMs = 1_000

export const serverHere: RegistryAsked['serverHere'] = async (cluster): Promise<ServerHere | undefined> => {
  try {
    const server = await connectControl(placesOf(cluster, undefined).controlSocket, patienceMs)
    server?.close()
    return server?.facts
  } catch {
    // A name that no cluster of this machine has, or a server of somebody else.
    return undefined
  }
}
