// Go, as a folder is known to be of it; what makes the image is loaded when one is made.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Builder } from '../builder.ts'
import { toolsKey } from '../layers/files-key.ts'
import { moduleName } from './go-module.ts'
import { goInputs } from './local-modules.ts'

export const goBuilder: Builder = {
  name: 'go',
  title: 'Go',
  looksFor: 'go.mod',
  finds: directory => (existsSync(join(directory, 'go.mod')) ? 'go.mod' : undefined),
  describe: directory => ({ name: moduleName(directory), version: undefined }),
  inputs: goInputs,
  surroundings: async () => toolsKey(['go'], ['GOFLAGS', 'CGO_ENABLED', 'CC', 'GOOS', 'GOARCH']),
  build: async context => (await import('./build-go.ts')).buildGo(context),
}
