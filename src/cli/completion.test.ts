import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { completion, completionLines, completionScripts, type CommandFacts, type Completion } from './completion.ts'

const option = (names: string[], value?: string, choices: string[] = []) => ({
  names,
  about: names.at(-1)!,
  value,
  choices,
})
const commands: CommandFacts[] = [
  {
    name: 'deploy',
    about: 'bring it',
    options: [
      option(['-e', '--environment'], 'names'),
      option(['-f', '--file'], 'path'),
      option(['--context'], 'name'),
      option(['-o', '--output'], 'format', ['json']),
      option(['--purge']),
    ],
    operands: [{ name: 'name:version', choices: [] }],
  },
  {
    name: 'run',
    about: '',
    options: [option(['-e', '--environment'], 'name')],
    operands: [
      { name: 'service', choices: [] },
      { name: 'task', choices: [], repeats: true },
    ],
  },
  {
    name: 'images',
    about: '',
    options: [],
    operands: [],
    commands: [
      { name: 'rm', about: '', options: [], operands: [{ name: 'image', choices: [], repeats: true }] },
      { name: 'export', about: '', options: [], operands: [{ name: 'image-and-file', choices: [], repeats: true }] },
    ],
  },
  { name: 'ps', about: '', options: [], operands: [{ name: 'service', choices: [], repeats: true }] },
  {
    name: 'env',
    about: '',
    options: [],
    operands: [],
    commands: [{ name: 'delete', about: '', options: [], operands: [{ name: 'environment', choices: [] }] }],
  },
  { name: 'down', about: 'stop it', options: [option(['--data-dir'], 'directory')], operands: [] },
  { name: 'completion', about: '', options: [], operands: [{ name: 'shell', choices: ['bash', 'fish'] }] },
  {
    name: 'secret',
    about: '',
    options: [],
    operands: [],
    commands: [
      {
        name: 'set',
        about: '',
        options: [option(['-e', '--environment'], 'name')],
        operands: [{ name: 'service-and-name', choices: [] }],
      },
      { name: 'list', about: '', options: [], operands: [{ name: 'service', choices: [] }] },
    ],
  },
]
const offers = {
  services: () => ['web', 'api'],
  images: () => ['team/web:1.0', 'team/web:2.0', 'api:1.0'],
  environments: () => ['test', 'production'],
  contexts: () => ['sampan'],
  tasks: (service: string) => (service === 'web' ? ['sync', 'report'] : []),
}
const found = (...words: string[]): Completion | string[] => {
  const all = completion(words, commands, offers)
  return typeof all === 'string' ? all : all.map(({ value }) => value)
}

describe('what may stand', () => {
  test.each<[string, string[], Completion | string[]]>([
    ['first', [''], ['deploy', 'run', 'images', 'ps', 'env', 'down', 'completion', 'secret']],
    ['first, from what is typed', ['do'], ['down']],
    ['behind a command that there is not', ['nothing', ''], []],
    ['as an option', ['deploy', '--f'], ['--file']],
    [
      'as any option, by its long name',
      ['deploy', '-'],
      ['--environment', '--file', '--context', '--output', '--purge'],
    ],
    ['behind an option for an environment', ['deploy', '-e', 't'], ['test']],
    ['behind the comma of an option for several', ['deploy', '-e', 'test,'], ['test,production']],
    ['for one environment, no comma', ['run', '-e', 'test,'], []],
    ['behind an option for a context', ['deploy', '--context', ''], ['sampan']],
    ['behind an option with few values', ['deploy', '-o', ''], ['json']],
    ['behind an option for a file', ['deploy', '-f', ''], 'files'],
    ['behind an option for a folder', ['down', '--data-dir', 'x'], 'directories'],
    ['as a service', ['deploy', '-e', 'test', ''], ['web:', 'api:']],
    ['as a service behind an option without a value', ['deploy', '--purge', 'a'], ['api:']],
    ['behind the last word', ['deploy', 'web:1', ''], []],
    ['behind a command that has others', ['secret', ''], ['set', 'list']],
    ['as an option of one of those', ['secret', 'set', '-'], ['--environment']],
    ['behind such an option', ['secret', 'set', '-e', 'p'], ['production']],
    ['as a service of one of those', ['secret', 'set', '-e', 'test', 'w'], ['web']],
    ['as a service behind another one', ['ps', 'web', ''], ['web', 'api']],
    ['as a task of the service', ['run', '-e', 'test', 'web', 's'], ['sync']],
    ['as a word of a command', ['run', 'web', 'sync', ''], []],
    ['as an environment', ['env', 'delete', 'p'], ['production']],
    ['as an image', ['images', 'rm', 'team'], ['team/web:1.0', 'team/web:2.0']],
    ['as another image', ['images', 'rm', 'team/web:1.0', ''], ['team/web:2.0', 'api:1.0']],
    ['as an image that is exported', ['images', 'export', 'a'], ['api:1.0']],
    ['as the file that it is exported to', ['images', 'export', 'api:1.0', ''], 'files'],
    ['as a second image that is exported', ['images', 'export', 'api:1.0', 'team/web:2'], ['team/web:2.0']],
    ['as one of few words', ['completion', 'f'], ['fish']],
  ])('%s', (_what, words, values) => {
    expect(found(...words)).toEqual(values)
  })
})

test('a line has a candidate and what it is', () => {
  expect(completionLines(completion(['do'], commands, offers))).toEqual(['down\tstop it'])
  expect(completionLines('files')).toEqual([':files'])
})

test.each([
  [['images', 'rm', 'we'], 'images rm we', ['web:1.0', 'web:2.0']],
  [['images', 'rm', 'web', ':'], 'images rm web:', ['1.0', '2.0']],
  [['images', 'rm', 'web', ':', '1'], 'images rm web:1', ['1.0', '2.0']],
  [['images', 'rm', 'web', ':', '1.0', ''], 'images rm web:1.0 ', ['web:1.0', 'web:2.0']],
])('bash asks with whole words and gets what stands behind the colon: %j', (words, asked, offered) => {
  const script = `${completionScripts.bash}
    sampan() { shift 2; echo "$*" >&3; printf '%s\\t\\n' web:1.0 web:2.0; }
    COMP_WORDS=(sampan "$@"); COMP_CWORD=$#; _sampan 3>&1; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8' })
  expect(stdout.trimEnd().split('\n')).toEqual([asked, ...offered])
})
