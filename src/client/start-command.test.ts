import { expect, test } from 'vitest'
import { startCommand } from './start-command.ts'

test.each([
  ['sampan', undefined, 'sampan up'],
  ['sampan', '/var/lib/sampan/sampan', 'sampan up'],
  ['work', '/var/lib/sampan/work', 'sampan up --name work'],
  ['work', '/srv/data', 'sampan up --name work --data-dir /srv/data'],
  ['sampan', "/srv/Ann's data", String.raw`sampan up --data-dir '/srv/Ann'\''s data'`],
])('the cluster %s with its data in %s is started with %s', (cluster, directory, command) => {
  expect(startCommand(cluster, directory)).toBe(command)
})
