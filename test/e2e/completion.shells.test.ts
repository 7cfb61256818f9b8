// Completion in the real shells, beside the geo example.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { geoDirectory, repository } from '../../src/testing/cluster-fixture.ts'

/** Shells write there. */
const home = mkdtempSync(join(tmpdir(), 'sampan-shells-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

function answer(shell: string, ...args: string[]): string[] {
  const { stdout, stderr, status } = spawnSync(shell, args, {
    cwd: geoDirectory,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(repository, 'bin')}:${process.env['PATH']}`, HOME: home },
  })
  if (status !== 0) throw new Error(`${shell}: exit code ${status}: ${stderr}`)
  expect(stderr).toBe('')
  return stdout.split('\n').filter(line => line !== '')
}

const bash = (...words: string[]): string[] =>
  answer(
    'bash',
    '--norc',
    '-c',
    `source <(sampan completion bash)
     compopt() { echo "compopt $*"; }
     COMP_WORDS=(sampan "$@"); COMP_CWORD=$#; _sampan; printf '%s\\n' "\${COMPREPLY[@]}"`,
    'bash',
    ...words,
  )
const zsh = (...words: string[]): string[] =>
  answer(
    'zsh',
    '-f',
    '-c',
    `source <(sampan completion zsh)
     _describe() { print -rl -- "\${(@P)2}" "options <\${(j:|:)@[3,-1]}>" }
     _files() { print -- files "$@" }
     words=(sampan "$@"); CURRENT=$(( $# + 1 )); _sampan`,
    'zsh',
    ...words,
  )
const fish = (line: string): string[] =>
  answer('fish', '--no-config', '-c', `sampan completion fish | source; complete -C ${JSON.stringify(line)}`)

describe('completion', () => {
  test('in bash', () => {
    expect(bash('dep')).toEqual(['deploy'])
    expect(bash('deploy', '-e', 't')).toEqual(['test'])
    expect(bash('logs', '-e', 'test', 'geo-b')).toEqual(['geo-backend'])
    expect(bash('env', 'cl')).toEqual(['clone'])
    expect(bash('env', 'clone', 't')).toEqual(['test'])
    expect(bash('deploy', '-e', 'test', 'geo-f')).toEqual(['compopt -o nospace', 'geo-frontend:'])
    expect(bash('build', '')).toContain('compopt -o dirnames')
    expect(bash('deploy', '--fi')).toEqual(['--file'])
    // Hidden: only the unit of systemd asks with it.
    expect(bash('down', '--')).not.toContain('--service')
    expect(bash('down', '--ti')).toEqual(['--timeout'])
  })

  test('in zsh', () => {
    expect(zsh('dep')).toEqual([
      'deploy:bring versions of services into environments and wait until they run',
      'options <>',
    ])
    expect(zsh('deploy', '-e', 'test', 'geo-f')).toEqual(['geo-frontend\\::', 'options <-S|>'])
    expect(zsh('build', '')).toEqual(['files -/'])
    expect(zsh('deploy', '-f', '')).toEqual(['files'])
  })

  test('in fish', () => {
    expect(fish('sampan dep')).toEqual(['deploy\tbring versions of services into environments and wait until they run'])
    expect(fish('sampan deploy -e test geo-f').map(line => line.trim())).toEqual(['geo-frontend:'])
    expect(fish('sampan build fro').map(line => line.split('\t')[0])).toEqual(['frontend/'])
  })
})
