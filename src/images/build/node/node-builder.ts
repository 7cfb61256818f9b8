// Node.js and TypeScript, as a folder is known to be of them; what makes the image is loaded when one is made.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Builder } from '../builder.ts'
import { nodeDevelopment } from './development.ts'
import { projectInputs, projectName } from './project.ts'

export const nodeBuilder: Builder = {
  name: 'node',
  title: 'Node.js',
  looksFor: 'package.json',
  finds: directory => (existsSync(join(directory, 'package.json')) ? 'package.json' : undefined),
  describe: directory => projectName(directory),
  inputs: projectInputs,
  development: nodeDevelopment,
  waitsByItself: true,
  build: async context => (await import('./build-node.ts')).buildNode(context),
}
