import { expect, test } from 'vitest'
import { serverHere } from './server-here.ts'

test.each(['no-cluster-has-this-name', 'No name of ours'])('nobody is the server of %s', async name => {
  expect(await serverHere(name)).toBeUndefined()
})
