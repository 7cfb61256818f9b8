import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Pod } from '../api/generated/models.ts'
import { cgroupFacts } from '../host/cgroups.ts'
import { silentLogger } from '../lib/logger.ts'
import { PodCgroups } from './pod-cgroups.ts'

let mount: string

beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'cgroups-'))
})
afterEach(() => rmSync(mount, { recursive: true, force: true }))

const pod = (uid: string, cpu?: string, isGuaranteed = false): Pod => {
  const amounts = { cpu: cpu ?? '', memory: '1Mi' }
  const resources = cpu === undefined ? {} : { requests: amounts, ...(isGuaranteed && { limits: amounts }) }
  return {
    metadata: { name: uid, uid },
    spec: { containers: [{ name: 'main', resources }] },
    status: {},
  } as unknown as Pod
}

const cgroups = (): PodCgroups =>
  new PodCgroups({ facts: cgroupFacts(mount), root: '/sampan/test', processors: 2, logger: silentLogger })

/** Version 1: the controllers' own folders. */
function version1(): (...path: string[]) => string {
  mkdirSync(join(mount, 'cpu'))
  mkdirSync(join(mount, 'memory'))
  writeFileSync(join(mount, 'cpu', 'cpu.shares'), '1024')
  return (...path) => readFileSync(join(mount, 'cpu', 'sampan/test', ...path, 'cpu.shares'), 'utf8')
}

test('all pods weigh as much as the processors, each as much as it asks for', () => {
  const shares = version1()
  const groups = cgroups()
  groups.admit(pod('a', '500m'))
  groups.admit(pod('b', '250m'))
  groups.admit(pod('c'))
  groups.admit(pod('d', '1', true))
  expect(shares()).toBe('2048')
  expect(shares('burstable')).toBe('768')
  expect(shares('burstable', 'poda')).toBe('512')
  expect(shares('burstable', 'podb')).toBe('256')
  expect(shares('besteffort')).toBe('2')
  expect(shares('besteffort', 'podc')).toBe('2')
  expect(shares('podd')).toBe('1024')
})

test('the weight follows a resize and the end of a pod', () => {
  const shares = version1()
  const groups = cgroups()
  groups.admit(pod('a', '500m'))
  groups.admit(pod('b', '250m'))
  groups.admit(pod('b', '1'))
  expect(shares('burstable', 'podb')).toBe('1024')
  expect(shares('burstable')).toBe('1536')
  groups.release(pod('a', '500m'))
  expect(shares('burstable')).toBe('1024')
})

test('version 2 counts from 1 to 10,000 and hands each control down', () => {
  writeFileSync(join(mount, 'cgroup.controllers'), 'cpu memory')
  cgroups().admit(pod('a', '1'))
  expect(readFileSync(join(mount, 'sampan/test/burstable/poda/cpu.weight'), 'utf8')).toBe('39')
  for (const path of ['', 'sampan', 'sampan/test', 'sampan/test/burstable'])
    expect(readFileSync(join(mount, path, 'cgroup.subtree_control'), 'utf8')).toBe('+memory')
})

test.each([
  ['cpu', 'memory'],
  ['cpu,cpuacct', 'memory'],
])('limits are told to the controllers of version 1 (%s, %s), and taken back', (cpu, memory) => {
  for (const name of [cpu, memory]) mkdirSync(join(mount, name))
  const groups = cgroups()
  const read = (): string[] =>
    [
      [cpu, 'cpu.cfs_period_us'],
      [cpu, 'cpu.cfs_quota_us'],
      [memory, 'memory.limit_in_bytes'],
    ].map(([root, file]) => readFileSync(join(mount, root!, 'sampan/test/podd', file!), 'utf8'))
  groups.admit(pod('d', '1', true))
  expect(read()).toEqual(['100000', '100000', '1048576'])
  groups.admit({ ...pod('d', '1'), status: { qosClass: 'Guaranteed' } } as unknown as Pod)
  expect(read()).toEqual(['100000', '-1', '-1'])
})

test('limits are told to version 2', () => {
  writeFileSync(join(mount, 'cgroup.controllers'), 'cpu memory')
  cgroups().admit(pod('d', '1500m', true))
  const read = (file: string): string => readFileSync(join(mount, 'sampan/test/podd', file), 'utf8')
  expect([read('cpu.max'), read('memory.max')]).toEqual(['150000 100000', '1048576'])
})

test('what is refused does not keep the rest from being done', () => {
  writeFileSync(join(mount, 'cgroup.controllers'), 'memory')
  mkdirSync(join(mount, 'sampan/test/podd/cpu.max'), { recursive: true })
  cgroups().admit(pod('d', '1', true))
  expect(readFileSync(join(mount, 'sampan/test/podd/memory.max'), 'utf8')).toBe('1048576')
})

test('a machine without the control runs pods all the same', () => {
  mkdirSync(join(mount, 'memory'))
  expect(() => cgroups().admit(pod('a', '1'))).not.toThrow()
})
