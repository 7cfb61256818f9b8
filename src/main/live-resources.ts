// What control loops that reach everything work on: all resources that are stored and can be listed,
// watched and deleted, each once, custom ones as they come and go.
import type { ResourceSource } from '../control/resource-source.ts'
import type { KindRegistry } from '../server/kind-registry.ts'

const needed = ['delete', 'list', 'watch'] as const

export function liveResources(kinds: KindRegistry): ResourceSource {
  return {
    current: () =>
      kinds
        .stored()
        .filter(({ verbs }) => verbs === undefined || needed.every(verb => verbs.includes(verb)))
        .map(({ resource }) => resource),
    subscribe: listener => kinds.subscribe(listener),
  }
}
