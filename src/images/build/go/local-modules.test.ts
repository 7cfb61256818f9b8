import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BuildPlace } from '../../../testing/build-place.ts'
import { goInputs } from './local-modules.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
  vi.stubEnv('GOWORK', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
  place.close()
})
const inputs = (): string[] => goInputs(`${place.directory}/api`).map(path => path.replace(`${place.directory}/`, ''))

test('a module alone is made of its folder', () => {
  place.put('api/go.mod', 'module api\n\nreplace example.com/a => example.com/b v1.0.0\n')
  expect(inputs()).toEqual(['api'])
})

test('folders that stand for other modules belong to it', () => {
  place.put(
    'api/go.mod',
    'module api\n\nreplace example.com/a => ../a // for now\n\nreplace (\n\texample.com/b v1.0.0 => ./b\n\texample.com/c => example.com/d v1.0.0\n)\n',
  )
  expect(inputs()).toEqual(['api', 'a', 'api/b'])
})

test('so do those that a go.work above names, unless it is switched off', () => {
  place.put('api/go.mod', 'module api\n')
  place.put('go.work', 'go 1.22\n\nuse (\n\t./api\n\t./lib\n)\nuse ./tool\n')
  expect(inputs()).toEqual(['api', 'go.work', 'go.work.sum', 'lib', 'tool'])
  vi.stubEnv('GOWORK', 'off')
  expect(inputs()).toEqual(['api'])
})
