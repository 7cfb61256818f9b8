// A Dockerfile, as a folder is known to have one; what makes the image is loaded when one is made.
import type { Builder } from '../builder.ts'
import { findDockerfile, usualDockerfiles } from './dockerfile.ts'

export const dockerfileBuilder: Builder = {
  name: 'dockerfile',
  title: 'a Dockerfile',
  looksFor: usualDockerfiles.join(' or '),
  finds: findDockerfile,
  describe: () => ({ name: undefined, version: undefined }),
  // Images that it begins with may have moved, and secrets have changed; what builds it knows what did not change.
  surroundings: async () => undefined,
  build: async context => (await import('./build-dockerfile.ts')).buildDockerfile(context),
}
