import { afterEach, beforeEach, expect, test } from 'vitest'
import { BuildPlace } from '../../../testing/build-place.ts'
import { rustInputs } from './local-packages.ts'

let place: BuildPlace
beforeEach(() => {
  place = new BuildPlace()
})
afterEach(() => place.close())
const inputs = (): string[] => rustInputs(`${place.directory}/api`).map(path => path.replace(`${place.directory}/`, ''))

test('a package alone is made of its folder', () => {
  place.put('api/Cargo.toml', '[package]\nname = "api"\n[dependencies]\nserde = "1"\ntokio = { version = "1" }\n')
  expect(inputs()).toEqual(['api'])
})

test('packages that it needs by their path belong to it, with what they need', () => {
  place.put(
    'api/Cargo.toml',
    '[dependencies]\nlib = { path = "../lib" }\n[target.\'cfg(unix)\'.dependencies]\nunix = { path = "../unix" }\n',
  )
  place.put(
    'lib/Cargo.toml',
    '[dependencies]\napi = { path = "../api" }\n[build-dependencies]\nmaker = { path = "maker" }\n',
  )
  place.put('lib/maker/Cargo.toml', '')
  place.put('unix/Cargo.toml', '')
  expect(inputs()).toEqual(['api', 'lib', 'lib/maker', 'unix'])
})

test('so do those that it has from the workspace, and what says how that is built', () => {
  place.put(
    'Cargo.toml',
    '[workspace]\nmembers = ["*"]\n[workspace.dependencies]\nlib = { path = "lib" }\nserde = "1"\n',
  )
  place.put('api/Cargo.toml', '[dependencies]\nlib = { workspace = true }\nserde = { workspace = true }\n')
  place.put('lib/Cargo.toml', '')
  place.put('other/Cargo.toml', '')
  expect(inputs()).toEqual([
    'api',
    'lib',
    'Cargo.toml',
    'Cargo.lock',
    '.cargo',
    'rust-toolchain',
    'rust-toolchain.toml',
  ])
})
