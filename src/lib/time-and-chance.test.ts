import { expect, test } from 'vitest'
import { formatMicroTime, formatTime } from './clock.ts'
import { silentLogger } from './logger.ts'
import { nameSuffix } from './random.ts'

test('times are written as Kubernetes writes them', () => {
  const epochMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  expect(formatTime(epochMs)).toBe('2026-01-02T03:04:05Z')
  expect(formatMicroTime(epochMs)).toBe('2026-01-02T03:04:05.678000Z')
})

test.each([
  [0, 'bbbbb'],
  [0.999_999, '99999'],
  [0.5, 'rrrrr'],
])('with the fraction %d a suffix is %s', (fraction, suffix) => {
  expect(nameSuffix({ uuid: () => '', fraction: () => fraction })).toBe(suffix)
})

test('a suffix is as long as asked for', () => {
  expect(nameSuffix({ uuid: () => '', fraction: Math.random }, 10)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/)
})

test('a silent logger says nothing, with fields too', () => {
  const logger = silentLogger.with({ a: 1 })
  expect([logger.debug('x'), logger.info('x'), logger.warn('x'), logger.error('x')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
