// The resources that there are: custom ones come and go while control loops run.
import type { Resource } from '../api/resource.ts'

export interface ResourceSource {
  current(): readonly Resource[]
  /** Calls the listener after each change. Returns how to stop. */
  subscribe(listener: () => void): () => void
}

/** Those of a source that pass a test. */
export const filteredResources = (source: ResourceSource, test: (resource: Resource) => boolean): ResourceSource => ({
  current: () => source.current().filter(test),
  subscribe: listener => source.subscribe(listener),
})
