// Where a command of delivery goes: the environment as `sampan.yml` has it, the cluster of its context, and the engine
// that speaks to it. Commands know the engine; only here it is known which one.
import { HttpClient } from '../client/http-client.ts'
import { clusterAccess, kubeconfigPaths } from '../client/kubeconfig.ts'
import type { Engine } from '../delivery/engine/engine.ts'
import { KubernetesEngine } from '../delivery/engine/kubernetes/kubernetes-engine.ts'
import type { Place } from '../delivery/engine/parts.ts'
import { foundName, isName, nameRule } from '../delivery/manifest/fields.ts'
import { namespaceByRule } from '../delivery/team/namespace-rule.ts'
import type { Team, TeamEnvironment } from '../delivery/team/team.ts'
import { registryHosting, type RegistryHosting } from '../client/registry-hosting.ts'
import type { Clock } from '../lib/clock.ts'
import { InFlight } from '../lib/in-flight.ts'
import { findTeam } from './find-team.ts'
import { CommandFailure } from './output.ts'

export interface TargetOptions {
  readonly environment: string
  /** Goes before the context of the environment. */
  readonly context?: string
  readonly clock: Clock
}

/** What the files at hand say of an environment. */
export interface Setting {
  readonly environment: string
  readonly team: Team | undefined
  /** Folder of `sampan.yml`; without one, the folder in which the command was given. */
  readonly folder: string
  /** undefined: `sampan.yml` does not name it, or there is none. */
  readonly settings: TeamEnvironment | undefined
}

export interface Target extends Setting {
  readonly client: HttpClient
  readonly engine: Engine
  /** Host under which the cluster is reached: where ports of its machines may answer. */
  readonly machine: string
  /** Where the cluster's own registry is. */
  registry(): Promise<RegistryHosting | undefined>
  close(): void
}

/** @throws CommandFailure for what is no environment */
export function settingOf({ environment }: Pick<TargetOptions, 'environment'>): Setting {
  if (!isName(environment))
    throw new CommandFailure(`--environment: expected ${nameRule}, found ${foundName(environment)}`)
  const found = findTeam(process.cwd())
  return {
    environment,
    team: found?.team,
    folder: found?.folder ?? process.cwd(),
    settings:
      found !== undefined && Object.hasOwn(found.team.environments, environment)
        ? found.team.environments[environment]
        : undefined,
  }
}

/** Of all environments that are named, each once: `test,production`. */
export const settingsOf = ({ environment }: Pick<TargetOptions, 'environment'>): readonly Setting[] =>
  [...new Set(environment.split(','))].map(name => settingOf({ environment: name }))

/** @param setting by default that of the folder in which the command was given */
export function openTarget(options: TargetOptions, setting = settingOf(options)): Target {
  const { context, clock } = options
  const access = clusterAccess(kubeconfigPaths(process.env), context ?? setting.settings?.context)
  const client = new HttpClient({ access, userAgent: 'sampan', clock })
  const engine = new KubernetesEngine({ client, name: access.context, clock, gateway: setting.settings?.gateway })
  const inFlight = new InFlight()
  return {
    ...setting,
    client,
    engine,
    machine: new URL(access.server).hostname.replace(/^\[|\]$/g, ''),
    registry: () => inFlight.ask('registry', () => registryHosting(client)),
    close() {
      engine.close()
      client.close()
    },
  }
}

/** Where a service is whose manifest is not at hand, or does not say. */
export function placeIn({ environment, settings }: Pick<Setting, 'environment' | 'settings'>, service: string): Place {
  return { environment, service, namespace: namespaceByRule(settings?.namespace, environment, service) }
}
