import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../testing/eventually.ts'
import { followMachineDns, type FollowedDns } from './machine-dns.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sampan-dns-'))
  for (const name of ['etc', 'run', 'network']) mkdirSync(join(root, name))
})

function follow(): FollowedDns {
  const followed = followMachineDns({ main: join(root, 'etc/resolv.conf'), behind: join(root, 'run/resolv.conf') })
  onTestFinished(() => {
    followed.stop()
    rmSync(root, { recursive: true })
  })
  return followed
}

const write = (path: string, server: string): void => writeFileSync(join(root, path), `nameserver ${server}\n`)
/** As programs do that do not want others to read half a file. */
function replace(path: string, server: string): void {
  write(`${path}.new`, server)
  renameSync(join(root, `${path}.new`), join(root, path))
}
const until = (followed: FollowedDns, server: string): Promise<boolean> =>
  eventually(server, () => followed.current().upstream[0] === server)

test('a file that is written again, replaced, taken away and made', async () => {
  write('etc/resolv.conf', '192.0.2.1')
  const followed = follow()
  expect(followed.current().upstream).toEqual(['192.0.2.1'])
  write('etc/resolv.conf', '192.0.2.2')
  await until(followed, '192.0.2.2')
  replace('etc/resolv.conf', '192.0.2.3')
  await until(followed, '192.0.2.3')
  rmSync(join(root, 'etc/resolv.conf'))
  await eventually('nothing', () => followed.current().upstream.length === 0)
  write('etc/resolv.conf', '192.0.2.4')
  await until(followed, '192.0.2.4')
})

test('what stands behind the resolver on loopback', async () => {
  write('etc/resolv.conf', '127.0.0.53')
  write('run/resolv.conf', '192.0.2.1')
  const followed = follow()
  expect(followed.current().upstream).toEqual(['192.0.2.1'])
  replace('run/resolv.conf', '192.0.2.2')
  await until(followed, '192.0.2.2')
})

test('a link: what it leads to, and that it leads elsewhere', async () => {
  write('network/resolv.conf', '192.0.2.1')
  symlinkSync(join(root, 'network/resolv.conf'), join(root, 'etc/resolv.conf'))
  const followed = follow()
  replace('network/resolv.conf', '192.0.2.2')
  await until(followed, '192.0.2.2')
  mkdirSync(join(root, 'other'))
  write('other/servers', '192.0.2.3')
  symlinkSync(join(root, 'other/servers'), join(root, 'etc/link.new'))
  renameSync(join(root, 'etc/link.new'), join(root, 'etc/resolv.conf'))
  await until(followed, '192.0.2.3')
  replace('other/servers', '192.0.2.4')
  await until(followed, '192.0.2.4')
})
