// The manifest of a service, `app.yml`: what a person writes, after checking and with an environment's
// changes laid over it.

export interface ManifestPort {
  readonly name: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP'
  /** Served on this port of the machine (30000 to 32767) as well. */
  readonly nodePort?: number
}

/** How it is told whether an instance can serve. */
export type HealthCheck =
  | { readonly kind: 'http'; readonly path: string; readonly port: string }
  | { readonly kind: 'grpc'; readonly port: string }
  | { readonly kind: 'tcp'; readonly port: string }

export type EnvironmentValue =
  | { readonly value: string }
  | { readonly secret: string; readonly key: string }
  | { readonly configMap: string; readonly key: string }

export interface Manifest {
  readonly name: string
  /** Without tag; by default `sampan.local/<name>`. */
  readonly image: string
  readonly namespace: string
  readonly replicas: number
  readonly command: readonly string[]
  readonly ports: readonly ManifestPort[]
  readonly health: HealthCheck | undefined
  readonly environment: Readonly<Record<string, EnvironmentValue>>
  readonly resources: { readonly cpu?: string; readonly memory?: string }
  readonly strategy: 'rolling' | 'recreate'
  /** Seconds an instance gets to finish what it is doing. */
  readonly stopSeconds: number
}

/** The registry of the machine's own cluster. */
export const localRegistry = 'sampan.local'

/** What tells a service which version of it runs. */
export const versionVariable = 'SERVICE_VERSION'
