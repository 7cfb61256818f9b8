// The registry of the cluster that a context leads to. A server of this machine tells it itself, which is quicker than
// asking the cluster's API, and never tells what was true before.
import { isUnavailable } from '../api/api-error.ts'
import { clusterAccess, kubeconfigPaths, rememberedCluster, type ClusterAccess } from '../client/kubeconfig.ts'
import { registryHosting } from '../client/registry-hosting.ts'
import { startCommand } from '../client/start-command.ts'
import type { Clock } from '../lib/clock.ts'
import { CommandFailure } from './output.ts'

/** What a server says of itself. */
export interface ServerHere {
  /** Of its API. */
  readonly url: string
  readonly dataDirectory: string
  /** `host:port` */
  readonly registry: string
}

export interface RegistryAsked {
  readonly clock: Clock
  /** The server of a cluster, by its name; undefined: none of this machine answers, or not to this user. */
  readonly serverHere: (cluster: string) => Promise<ServerHere | undefined>
}

/** @returns `host:port` */
export async function clusterRegistry(
  context: string | undefined,
  { clock, serverHere }: RegistryAsked,
): Promise<string> {
  const access = clusterAccess(kubeconfigPaths(process.env), context)
  return (await registryHere(access, serverHere)) ?? (await publishedRegistry(access, clock))
}

/** A context may lead through a tunnel to a cluster that has the name of one here. */
async function registryHere(
  { startedHere: started, server }: ClusterAccess,
  serverHere: RegistryAsked['serverHere'],
): Promise<string | undefined> {
  const found = started && (await serverHere(started.name))
  return found?.url === server && found.dataDirectory === started?.dataDirectory ? found.registry : undefined
}

async function publishedRegistry(access: ClusterAccess, clock: Clock): Promise<string> {
  const { HttpClient } = await import('../client/http-client.ts')
  const client = new HttpClient({ access, userAgent: 'sampan', clock })
  try {
    const hosting = await registryHosting(client)
    if (hosting !== undefined) return hosting.host
    throw new CommandFailure(
      `the cluster of the context "${access.context}" has no registry of its own; name one with --registry`,
    )
  } catch (error) {
    if (!isUnavailable(error)) throw error
    const { name, dataDirectory } = rememberedCluster(kubeconfigPaths(process.env), access.context)!
    throw new CommandFailure(
      `the cluster of the context "${access.context}" is down, so there is no registry to push to; start it with: ${startCommand(name, dataDirectory)}, or name a registry with --registry`,
    )
  } finally {
    client.close()
  }
}
