import { expect, test } from 'vitest'
import { groupFiles, type GroupShare } from './cgroups.ts'

const written = (version: 1 | 2, share: GroupShare): string[] =>
  groupFiles(version, share).map(({ controller, file, value }) => `${controller}: ${file} = ${value}`)

test.each<[string, 1 | 2, GroupShare, string[]]>([
  ['a weight alone, version 1', 1, { cpuShares: 512 }, ['cpu: cpu.shares = 512']],
  ['a weight alone, version 2', 2, { cpuShares: 512 }, ['cpu: cpu.weight = 20']],
  ['the smallest weight, version 2', 2, { cpuShares: 2 }, ['cpu: cpu.weight = 1']],
  ['the largest weight, version 2', 2, { cpuShares: 262_144 }, ['cpu: cpu.weight = 10000']],
  [
    'limits, version 1',
    1,
    { cpuShares: 2, limits: { cpuQuota: 50_000, memoryBytes: 1_048_576 } },
    [
      'cpu: cpu.shares = 2',
      'cpu: cpu.cfs_period_us = 100000',
      'cpu: cpu.cfs_quota_us = 50000',
      'memory: memory.limit_in_bytes = 1048576',
    ],
  ],
  [
    'limits, version 2',
    2,
    { cpuShares: 2, limits: { cpuQuota: 50_000, memoryBytes: 1_048_576 } },
    ['cpu: cpu.weight = 1', 'cpu: cpu.max = 50000 100000', 'memory: memory.max = 1048576'],
  ],
  [
    'no limits any more, version 1',
    1,
    { cpuShares: 2, limits: {} },
    [
      'cpu: cpu.shares = 2',
      'cpu: cpu.cfs_period_us = 100000',
      'cpu: cpu.cfs_quota_us = -1',
      'memory: memory.limit_in_bytes = -1',
    ],
  ],
  [
    'no limits any more, version 2',
    2,
    { cpuShares: 2, limits: {} },
    ['cpu: cpu.weight = 1', 'cpu: cpu.max = max 100000', 'memory: memory.max = max'],
  ],
])('%s', (_what, version, share, expected) => {
  expect(written(version, share)).toEqual(expected)
})
