// What deliveries of the command line have at hand: who delivers, how it is told, hooks, Prometheus, backing services,
// and what a manifest is made of on this machine.
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { DeployError } from '../delivery/deploy-error.ts'
import type { Deployment } from '../delivery/deploy.ts'
import type { DeliveryOptions } from '../delivery/delivering.ts'
import type { News } from '../delivery/execution/world.ts'
import { queryPrometheus } from '../delivery/hooks/query-prometheus.ts'
import { tellHook } from '../delivery/hooks/tell-hook.ts'
import type { Manifest } from '../delivery/manifest/manifest.ts'
import type { IdentitySource } from '../delivery/secrets/identities.ts'
import { gather } from '../delivery/materials/gather.ts'
import type { ImageFound } from '../delivery/plan/materials.ts'
import { backingService } from '../delivery/services/backing-services.ts'
import type { Clock } from '../lib/clock.ts'
import type { MissingImage } from './build-missing.ts'
import { deployerName, hasEnded } from './deployer.ts'
import { externalServer } from './external-server.ts'
import { findImage } from './find-image.ts'
import type { Output } from './output.ts'
import { secretValues } from './secret-values.ts'
import type { Target } from './target.ts'

export interface DeliverySettings {
  /** Seconds that instances may take. */
  readonly timeout: number
  readonly clock: Clock
  /** Whether a process of this machine runs. */
  readonly isAlive: (pid: number) => boolean
  /** Who reads secrets. */
  readonly identity: IdentitySource
}

export function deliveryOptions(
  target: Pick<Target, 'engine' | 'environment' | 'folder' | 'settings' | 'team'>,
  { timeout, clock, isAlive, identity }: DeliverySettings,
  output: Output,
  signal: AbortSignal,
): DeliveryOptions {
  const prometheus = target.settings?.prometheus
  return {
    engine: target.engine,
    clock,
    report: {
      step: text => output.done(text),
      waiting: text => output.working(text),
      note: text => output.line(text),
      warning: text => output.warn(text),
    },
    service: backingService,
    tell: (hook, news) => tell(target, hook, news, { clock, identity, output }),
    ...(prometheus !== undefined && { query: expression => queryPrometheus(prometheus, expression) }),
    deployer: deployerName(userInfo),
    isGone: name => hasEnded(name, isAlive),
    timeLimitSeconds: timeout,
    signal,
  }
}

async function tell(
  { team, folder, environment }: Pick<Target, 'environment' | 'folder' | 'team'>,
  name: string,
  news: News,
  { clock, identity, output }: Pick<DeliverySettings, 'clock' | 'identity'> & { readonly output: Output },
): Promise<void> {
  const hook = team?.hooks[name]
  if (hook === undefined) throw new DeployError(`sampan.yml has no hook "${name}"`)
  try {
    const url =
      'value' in hook.url
        ? hook.url.value
        : (await secretValues({ folder, environment, service: undefined, names: [hook.url.secret] }, identity)).get(
            hook.url.secret,
          )!
    await tellHook(url, news, clock)
  } catch (error) {
    if (!hook.optional) throw error
    output.line(`the hook "${name}", which is optional, could not be told: ${(error as Error).message}`)
  }
}

export interface DeploymentSettings
  extends
    Pick<DeliveryOptions, 'report'>,
    Partial<Pick<DeliveryOptions, 'signal'>>,
    Pick<DeliverySettings, 'identity'> {
  /** An image that is not there yet is built; else it is told that it would be. */
  readonly builds: boolean
}

/** @param file the manifest, beside which its files are */
export function deploymentOf(
  target: Target,
  { manifest, file }: { readonly manifest: Manifest; readonly file: string },
  version: string,
  settings: DeploymentSettings,
): Deployment {
  const { identity } = settings
  const { engine, environment } = target
  return {
    manifest,
    environment,
    version,
    gather: (place, present) =>
      gather(manifest, version, {
        engine,
        place,
        present,
        load: backingService,
        external: type => externalServer(target, type),
        password: () => randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x'),
        image: reference => imageOf(target, reference, { manifest, file, version }, settings),
        readFile: source => readFile(join(dirname(file), source)),
        secrets: names =>
          secretValues({ folder: dirname(resolve(file)), environment, service: manifest.name, names }, identity),
      }),
  }
}

/** By digest where its registry tells one. @param own the image that can be built when it is not there */
async function imageOf(
  target: Target,
  image: string,
  own: MissingImage,
  { report, builds, signal }: DeploymentSettings,
): Promise<ImageFound> {
  const find = (): ReturnType<typeof findImage> => findImage(() => target.registry(), image)
  let found = await find()
  if ('absent' in found && image === `${own.manifest.image}:${own.version}`) {
    // What builds is loaded when something may have to be built.
    const { buildMissing, isBuildable } = await import('./build-missing.ts')
    if (isBuildable(own) && !builds) {
      report.note(`there is no image ${image} yet; a delivery builds it from ${dirname(own.file)}`)
      return { reference: image }
    }
    if (isBuildable(own)) {
      await buildMissing(own, (await target.registry())!.host, report, signal)
      found = await find()
    }
  }
  if ('absent' in found) throw new DeployError(found.absent)
  if ('digest' in found) return { reference: `${image}@${found.digest}` }
  report.note(`${found.reason}; whoever pushes ${image} again changes what this release runs`)
  return { reference: image, pullMark: new Date().toISOString() }
}
