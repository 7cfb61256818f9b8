// The registry of the cluster that a context leads to.
import { isUnavailable } from '../api/api-error.ts'
import { HttpClient } from '../client/http-client.ts'
import { clusterAccess, kubeconfigPaths, rememberedCluster } from '../client/kubeconfig.ts'
import { registryHosting } from '../client/registry-hosting.ts'
import { startCommand } from '../client/start-command.ts'
import type { Clock } from '../lib/clock.ts'
import { CommandFailure } from './output.ts'

/** @returns `host:port` */
export async function clusterRegistry(context: string | undefined, clock: Clock): Promise<string> {
  const paths = kubeconfigPaths(process.env)
  const access = clusterAccess(paths, context)
  const client = new HttpClient({ access, userAgent: 'sampan', clock })
  try {
    const hosting = await registryHosting(client)
    if (hosting !== undefined) return hosting.host
    throw new CommandFailure(
      `the cluster of the context "${access.context}" has no registry of its own; name one with --registry`,
    )
  } catch (error) {
    if (!isUnavailable(error)) throw error
    const { name, dataDirectory } = rememberedCluster(paths, access.context)!
    throw new CommandFailure(
      `the cluster of the context "${access.context}" is down, so there is no registry to push to; start it with: ${startCommand(name, dataDirectory)}, or name a registry with --registry`,
    )
  } finally {
    client.close()
  }
}
