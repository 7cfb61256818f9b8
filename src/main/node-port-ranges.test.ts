import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { nodePortRanges } from './node-port-ranges.ts'

test('every address, until ranges are asked for, which are remembered until everywhere is asked for', () => {
  const data = mkdtempSync(join(tmpdir(), 'sampan-node-ports-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  expect(nodePortRanges({ data }, undefined)).toEqual(['0.0.0.0/0'])
  expect(nodePortRanges({ data }, '127.0.0.0/8, 192.168.1.0/24')).toEqual(['127.0.0.0/8', '192.168.1.0/24'])
  for (const wrong of ['', '127.0.0.1', 'lo', '::1/128', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/8,', '10.0.0.0/'])
    expect(() => nodePortRanges({ data }, wrong), wrong).toThrow(/expected --node-port-addresses with IPv4 ranges/)
  expect(nodePortRanges({ data }, undefined)).toEqual(['127.0.0.0/8', '192.168.1.0/24'])
  expect(nodePortRanges({ data }, '0.0.0.0/0')).toEqual(['0.0.0.0/0'])
  expect(nodePortRanges({ data }, undefined)).toEqual(['0.0.0.0/0'])
})
