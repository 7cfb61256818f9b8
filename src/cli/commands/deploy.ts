// `sampan deploy -e ENVIRONMENT NAME:VERSION` and `sampan rollback -e ENVIRONMENT NAME`.
import { userInfo } from 'node:os'
import { text } from 'node:stream/consumers'
import { HttpClient } from '../../client/http-client.ts'
import { clusterAccess, kubeconfigPaths } from '../../client/kubeconfig.ts'
import { deploy, rollback, type DeployOptions } from '../../delivery/deploy.ts'
import { isName, nameRule } from '../../delivery/manifest/fields.ts'
import { readManifest } from '../../delivery/manifest/read-manifest.ts'
import type { Release } from '../../delivery/release-history.ts'
import type { Clock } from '../../lib/clock.ts'
import { tagPattern } from '../../images/image-reference.ts'
import { deployerName, hasEnded } from '../deployer.ts'
import { findImage } from '../find-image.ts'
import { findManifest } from '../find-manifest.ts'
import { watchForInterruption } from '../interruption.ts'
import { CommandFailure, Output } from '../output.ts'

export interface DeployCommandOptions {
  readonly environment: string
  readonly file?: string
  readonly context?: string
  /** Seconds to wait for the rollout. */
  readonly timeout: number
  readonly output?: 'json'
  readonly clock: Clock
  /** Whether a process of this machine runs. */
  readonly isAlive: (pid: number) => boolean
}

export interface RollbackCommandOptions extends DeployCommandOptions {
  readonly to?: number
}

const shownLogLines = 20

export async function deployCommand(target: string, options: DeployCommandOptions): Promise<void> {
  const [service = '', version = '', ...rest] = target.split(':')
  if (!tagPattern.test(version) || rest.length > 0)
    throw new CommandFailure(`expected NAME:VERSION such as geo-backend:1.0.0, found "${target}"`)
  const { file, text: manifestText } = findManifest(service, options.file, process.cwd())
  const manifest = readManifest(file, manifestText, options.environment)
  if (manifest.name !== service)
    throw new CommandFailure(`${file} is the manifest of "${manifest.name}", not of "${service}"`)
  checkEnvironment(options.environment)
  await withCluster(service, options, async (deployOptions, output) =>
    finish(await deploy(manifest, options.environment, version, deployOptions), options, output),
  )
}

export async function rollbackCommand(service: string, options: RollbackCommandOptions): Promise<void> {
  if (!isName(service))
    throw new CommandFailure(
      `expected the NAME of a service such as geo-backend, found "${service}"; --to chooses a release, else it is the one before`,
    )
  checkEnvironment(options.environment)
  const namespace = namespaceOf(service, options)
  await withCluster(service, options, async (deployOptions, output) => {
    const release = await rollback(
      {
        service,
        environment: options.environment,
        namespace,
        ...(options.to !== undefined && { revision: options.to }),
      },
      deployOptions,
    )
    finish(release, options, output)
  })
}

function checkEnvironment(environment: string): void {
  if (!isName(environment)) throw new CommandFailure(`--environment: expected ${nameRule}, found "${environment}"`)
}

/** A rollback works without the manifest at hand; with it, a namespace of its own is respected. */
function namespaceOf(service: string, options: RollbackCommandOptions): string {
  try {
    const { file, text: manifestText } = findManifest(service, options.file, process.cwd())
    return readManifest(file, manifestText, options.environment).namespace
  } catch (error) {
    if (options.file !== undefined) throw error
    return options.environment
  }
}

function finish(release: Release, { output: format }: DeployCommandOptions, output: Output): void {
  const { service, environment, namespace, revision, version } = release
  if (format === 'json')
    console.log(JSON.stringify({ service, environment, namespace, revision, version, state: release.state }))
  else
    output.line(
      `${service} ${version} runs in ${environment} (release ${revision}); look at it with: kubectl get pods -n ${namespace}`,
    )
}

async function withCluster(
  service: string,
  options: DeployCommandOptions,
  work: (deployOptions: DeployOptions, output: Output) => Promise<void>,
): Promise<void> {
  const output = new Output()
  const access = clusterAccess(kubeconfigPaths(process.env), options.context)
  const client = new HttpClient({ access, userAgent: 'sampan', clock: options.clock })
  const interruption = watchForInterruption(
    output,
    `the release stays unfinished: deliver again, or put the one before back with: sampan rollback -e ${options.environment} ${service}`,
  )
  try {
    await work(
      {
        client,
        clock: options.clock,
        timeoutMs: options.timeout * 1000,
        report: {
          step: message => output.done(message),
          waiting: message => output.working(message),
          note: message => output.line(message),
        },
        readLog: async (namespace, pod, container, previous) =>
          text(
            await client.raw(
              `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=${container}&tailLines=${shownLogLines}${previous ? '&previous=true' : ''}`,
            ),
          ),
        deployer: deployerName(userInfo),
        isGone: name => hasEnded(name, options.isAlive),
        signal: interruption.signal,
        findImage: image => findImage(client, image),
      },
      output,
    )
  } catch (error) {
    throw interruption.exitCode === undefined
      ? error
      : new CommandFailure((error as Error).message, interruption.exitCode)
  } finally {
    output.quiet()
    interruption.close()
    client.close()
  }
}
