// What is given twice is not forgotten.
import { Command, type Option } from 'commander'
import { expect, test } from 'vitest'
import { environmentOption, environmentsOption } from './command-options.ts'

const given = (option: Option, ...words: string[]): unknown =>
  new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addOption(option)
    .parse(words, { from: 'user' })
    .opts()

test('an environment is one, or all that are named', () => {
  expect(given(environmentsOption(), '-e', 'test', '-e', 'stage,production')).toEqual({
    environment: 'test,stage,production',
  })
  expect(given(environmentOption(), '-e', 'test')).toEqual({ environment: 'test' })
  expect(() => given(environmentOption(), '-e', 'test', '-e', 'production')).toThrow(
    'expected one environment, found test as well',
  )
})
