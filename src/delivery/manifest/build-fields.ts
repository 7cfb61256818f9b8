// How the image of a service is made, and how it runs while it is being worked on: `build` and `dev`.
import { builderNames } from '../../images/build/settings.ts'
import { anyText, command, flag, imageWithTag, variableName, variableRule } from './field-values.ts'
import type { Choice, Fields, Text } from './field.ts'
import { inBuild, inDev } from './foreign-names.ts'

const builder: Choice = { type: 'choice', values: builderNames }

const folder: Text = {
  type: 'text',
  pattern: /^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\0]+$/,
  expected: 'a folder below that of app.yml, such as dist',
}

const variable: Text = { type: 'text', pattern: variableName, expected: 'the name of an environment variable' }

const secret: Fields = {
  type: 'object',
  short: { is: variable, as: 'variable' },
  oneOf: { names: ['variable', 'file'], required: true },
  fields: {
    variable: { is: variable, about: 'environment variable of the build that holds it' },
    file: { is: anyText, about: 'file that holds it' },
  },
}

export const build: Fields = {
  type: 'object',
  short: { is: builder, as: 'with' },
  fields: {
    with: { is: builder, about: 'what makes the image; by default found out from the files in the folder' },
    base: { is: imageWithTag, about: 'image to build upon; by default what the building machine has' },
    packages: {
      is: {
        type: 'list',
        items: {
          type: 'text',
          pattern: /^[a-z0-9][a-z0-9+.-]+$/,
          expected: 'the name of a Debian package such as libvips42',
        },
        unique: true,
      },
      about: 'Debian packages that the image gets, such as libvips42',
    },
    shell: { is: flag, about: 'the image gets a shell and the usual small programs; by default it has none' },
    run: { is: command, about: 'makes what is started; by default as the project says' },
    output: { is: folder, about: 'folder that goes into the image; by default all of it' },
    start: { is: command, about: 'what a container starts with; by default as the project says' },
    dockerfile: { is: anyText, about: 'by default Dockerfile' },
    target: { is: anyText, about: 'stage of the Dockerfile; by default the last one' },
    args: {
      is: {
        type: 'map',
        keys: variableName,
        keyName: 'build argument',
        keyRule: variableRule,
        example: '{ VERSION: "1" }',
        values: { type: 'text', expected: 'text or a number' },
      },
      about: 'build arguments of the Dockerfile',
    },
    secrets: {
      is: {
        type: 'map',
        keys: /^[\w.-]+$/,
        keyName: 'id of a secret',
        keyRule: 'letters, digits, "_", "." and "-"',
        example: '{ npmrc: { file: .npmrc } }',
        values: secret,
      },
      about: 'what RUN --mount=type=secret of the Dockerfile gets; it is not in the image',
    },
  },
  foreign: inBuild,
}

export const dev: Fields = {
  type: 'object',
  fields: {
    run: { is: command, about: 'what `sampan dev` starts instead of what the image starts' },
    reload: {
      is: { type: 'choice', values: ['restart', 'self', 'image'] },
      about:
        'after a change the process is started again, or reloads by itself, or each change makes another image; by default restart',
    },
    build: { is: command, about: 'runs on this machine before a change is brought to the container' },
  },
  foreign: inDev,
}
