// The file of a repository or a team, `sampan.yml`: what its environments and services share, after checking. Plain
// data with every inheritance resolved.
import type { TokenRules } from '../engine/parts.ts'
import type { BackingServiceType } from '../manifest/manifest.ts'
import type { WrittenLogin } from '../manifest/written.ts'

export interface Team {
  /** By name; those that extend another one have what that one has. */
  readonly environments: Readonly<Record<string, TeamEnvironment>>
  /** By name, in the order of the file. */
  readonly services: Readonly<Record<string, TeamService>>
  /** age recipients by the name of a person or machine. */
  readonly people: Readonly<Record<string, string>>
  readonly hooks: Readonly<Record<string, Hook>>
}

export interface TeamEnvironment {
  readonly name: string
  /** The environments it inherits from, nearest first. */
  readonly extends: readonly string[]
  /** kubeconfig context; by default the current one. */
  readonly context?: string
  readonly engine: 'kubernetes'
  /** Appended to hosts of routes that are one label: `hcn` and `test.example.com` make `hcn.test.example.com`. */
  readonly domain: string
  /** In front of names of images that have no registry, those that are chosen by default among them. */
  readonly registry?: string
  /** That takes the routes; by default the engine knows. */
  readonly gateway?: { readonly namespace: string; readonly name: string }
  /** `environment`: one for each environment (default); `service`: ENVIRONMENT-SERVICE; else the name of the one that all share. */
  readonly namespace: 'environment' | 'service' | { readonly name: string }
  /** Names of people who may read its secrets. */
  readonly readers: readonly string[]
  /** Servers that exist already, by type. */
  readonly servers: Readonly<Partial<Record<BackingServiceType, ExternalServer>>>
  /** Taken by routes that ask for tokens and do not say which. */
  readonly tokens?: TokenRules
  /** By which people log in at routes that ask for it and do not say how. */
  readonly login?: WrittenLogin
  /** Base URL of a Prometheus that knows this environment. */
  readonly prometheus?: string
}

export interface ExternalServer {
  /** As instances reach it. */
  readonly host: string
  readonly port?: number
  readonly user: string
  /** Name of the administrator's password in the secrets of the environment. */
  readonly password: string
  /** Authority of its certificate: a PEM file relative to `sampan.yml`. */
  readonly authority?: string
}

export interface TeamService {
  /** Folder of its app.yml, relative to `sampan.yml`. */
  readonly path: string
  /** Services that have to run before it. */
  readonly needs: readonly string[]
}

export interface Hook {
  /** HTTP(S) URL that gets a JSON body, or the name of a secret that holds one. */
  readonly url: { readonly value: string } | { readonly secret: string }
  /** A delivery goes on when it does not answer. */
  readonly optional: boolean
}
