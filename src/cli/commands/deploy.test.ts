// What is mistyped is said before a cluster is asked.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { FakeClock } from '../../testing/fake-clock.ts'
import { deployCommand, type DeployCommandOptions } from './deploy.ts'
import { rollbackCommand } from './rollback.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-deploy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = join(folder, 'app.yml')
writeFileSync(file, 'name: dock')

const options = (environment: string): DeployCommandOptions => ({
  environment,
  file,
  timeout: 1,
  clock: new FakeClock(),
  isAlive: () => true,
  identity: { key: undefined, keyFile: undefined, home: folder },
})

test('the version is that of the project, where there is one', async () => {
  await expect(deployCommand(['dock'], options('test'))).rejects.toThrow(/^expected a version, as in dock:1\.0\.0: /)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ main: 'main.js' }))
  await expect(deployCommand(['dock'], options('test'))).rejects.toThrow(
    /^expected a version, as in dock:1\.0\.0: package\.json in .* has none, and there is no commit$/,
  )
  rmSync(join(folder, 'package.json'))
})

test.each(['dock:', ':1.0.0', 'dock:1.0.0:2', 'dock:-1', `dock:${'1'.repeat(129)}`])(
  '%s is no version',
  async target => {
    await expect(deployCommand([target], options('test'))).rejects.toThrow(
      `NAME:VERSION such as geo-backend:1.0.0, found`,
    )
  },
)

test('a service is delivered once', async () => {
  const message = 'expected each service once, found "dock" again'
  await expect(deployCommand(['dock:1.0.0', 'dock:1.0.1'], options('test'))).rejects.toThrow(message)
})

test.each(['dock:1.0.0', '@acme/dock', 'Dock', ''])('%j is no service to go back with', async service => {
  await expect(rollbackCommand([service], options('test'))).rejects.toThrow(
    `expected the NAME of a service such as geo-backend, found "${service}"`,
  )
})

test('one release is gone back to in one place', async () => {
  const message = '--to 3 is a release of one service in one environment, found 4; go back with each of them by itself'
  await expect(rollbackCommand(['dock', 'ship'], { ...options('test,production'), to: 3 })).rejects.toThrow(message)
})

test.each([
  ['Test', 'Test'],
  ['a b', 'a b'],
  ['../x', '../x'],
  ['', ''],
  ['test,', ''],
  ['test,Test', 'Test'],
  ['test;production', 'test;production'],
])('%j is no environment', async (environment, found) => {
  const message = `--environment: expected a name of lower-case letters, digits and dashes that starts with a letter, found "${found}"`
  await expect(deployCommand(['dock:1'], options(environment))).rejects.toThrow(message)
  await expect(rollbackCommand(['dock'], options(environment))).rejects.toThrow(message)
})
