import { expect, test } from 'vitest'
import { deployerName, hasEnded } from './deployer.ts'

test.each<[string, () => { username: string }]>([
  ['a name', () => ({ username: 'me' })],
  [
    'a number alone',
    () => {
      throw new Error('uv_os_get_passwd returned ENOENT')
    },
  ],
])('a user with %s delivers, and is recognized when gone', (_what, lookUp) => {
  const name = deployerName(lookUp)
  expect(name).toMatch(/^(me|user \d+)@\S+ \(process \d+\)$/)
  expect(hasEnded(name, () => false)).toBe(true)
  expect(hasEnded(name, pid => pid === process.pid)).toBe(false)
  expect(hasEnded(name.replace('@', '@not-'), () => false)).toBe(false)
})
