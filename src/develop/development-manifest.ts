// How a service runs while it is worked on: as its manifest says, but as one instance that is started by the agent, and
// without what is for those who use it.
import type { Manifest } from '../delivery/manifest/manifest.ts'

export interface AgentStartOf {
  /** How the agent is called. */
  readonly agent: readonly string[]
  /** Address for a debugger, `127.0.0.1:9229`. */
  readonly inspect?: string
}

/** Left out: checks, hooks, schedules (they run beside those of the others), more than one instance, and canaries. */
export function developmentManifest(manifest: Manifest, { agent, inspect }: AgentStartOf): Manifest {
  const own = manifest.dev.run ?? (manifest.command.length > 0 ? manifest.command : undefined)
  return {
    ...manifest,
    development: true,
    replicas: 1,
    command: own === undefined ? [] : [...agent, 'run', ...own],
    environment: {
      ...manifest.environment,
      ...(inspect !== undefined && { SAMPAN_INSPECT: { value: inspect } }),
    },
    // The agent writes into the service's folders.
    security: { ...manifest.security, readOnlyRoot: false },
    strategy: { kind: 'rolling' },
    // Whoever works on it waits for the next one.
    stopSeconds: Math.min(manifest.stopSeconds, 1),
    disruptionBudget: false,
    schedules: [],
    checks: {},
    notify: [],
  }
}
