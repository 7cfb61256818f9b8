// With an apt-get of the test's own, first on the path: what is asked of it, and what is told when it fails.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensurePackages } from './debian-packages.ts'

let directory: string

/** @param install is what it does when it is to install; what it was asked is noted beside it */
function aptGet(install: string): void {
  const file = join(directory, 'apt-get')
  writeFileSync(file, `#!/bin/sh\necho "$@" >> ${directory}/asked\nif [ "$1" = install ]; then\n${install}\nfi\n`)
  chmodSync(file, 0o755)
}

const policy = (): string => join(directory, 'policy-rc.d')
const asked = (): string[] => readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n')
const missingUntil = (file: string) => (): string[] =>
  existsSync(join(directory, file)) ? [] : ['nftables', 'containerd']

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sampan-packages-'))
  vi.stubEnv('PATH', `${directory}:${process.env.PATH}`)
  vi.spyOn(process, 'getuid').mockReturnValue(0)
  vi.spyOn(console, 'log').mockReturnValue()
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

test('root gets the missing packages installed', () => {
  aptGet(`touch ${directory}/installed`)
  expect(ensurePackages(missingUntil('installed'), policy())).toBeUndefined()
  expect(asked()).toEqual(['update', 'install -y --no-install-recommends nftables containerd'])
  expect(console.log).toHaveBeenCalledWith('installing nftables, containerd')
})

test('no service is started by its installation, and a policy that is there stays', () => {
  aptGet(`touch ${directory}/installed; sh ${directory}/policy-rc.d; echo $? > ${directory}/answer`)
  ensurePackages(missingUntil('installed'), policy())
  expect(readFileSync(join(directory, 'answer'), 'utf8')).toBe('101\n')
  expect(existsSync(policy())).toBe(false)

  rmSync(join(directory, 'installed'))
  writeFileSync(policy(), 'exit 7\n')
  ensurePackages(missingUntil('installed'), policy())
  expect(readFileSync(join(directory, 'answer'), 'utf8')).toBe('7\n')
  expect(existsSync(policy())).toBe(true)
})

test('a machine that has everything is left alone', () => {
  aptGet('exit 1')
  expect(ensurePackages(() => [], policy())).toBeUndefined()
  expect(existsSync(join(directory, 'asked'))).toBe(false)
})

test('a failing installation is told with its last words', () => {
  aptGet('echo "E: Unable to locate package nftables" >&2; exit 100')
  expect(ensurePackages(missingUntil('installed'), policy())).toBe(
    'nftables, containerd could not be installed: E: Unable to locate package nftables',
  )
})

test('whoever is not root is told the command', () => {
  vi.spyOn(process, 'getuid').mockReturnValue(1000)
  expect(ensurePackages(missingUntil('installed'), policy())).toBe(
    "missing on this machine: nftables, containerd; install with: sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends nftables containerd'",
  )
})
