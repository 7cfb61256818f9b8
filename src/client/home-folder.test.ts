import { expect, test } from 'vitest'
import { homeFolder } from './home-folder.ts'

test('is the root folder for a user without one', () => {
  expect(homeFolder(() => '/home/me')).toBe('/home/me')
  expect(
    homeFolder(() => {
      throw new Error('uv_os_homedir returned ENOENT')
    }),
  ).toBe('/')
})
