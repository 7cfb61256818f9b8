// Any folder of which somebody says how what is in it is started; what makes the image is loaded when one is made.
import type { Builder } from '../builder.ts'

export const commandBuilder: Builder = {
  name: 'command',
  title: 'a command',
  looksFor: 'nothing, it takes every folder that has "build: { start: COMMAND }" in app.yml',
  finds: (_directory, { start }) => (start === undefined ? undefined : 'build.start'),
  describe: () => ({ name: undefined, version: undefined }),
  build: async context => (await import('./build-by-command.ts')).buildByCommand(context),
}
