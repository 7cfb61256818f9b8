import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { leaveContainerGroup, ProcessPlace, serviceName, type Machine } from './process-place.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-place-'))
afterAll(() => rmSync(directory, { recursive: true }))

let root = ''
let debian: Machine
let container: Machine
beforeEach(() => {
  root = mkdtempSync(join(directory, 'groups-'))
  debian = { hasSystemd: true, cgroups: { version: 2, roots: [root] }, firstGroup: '/' }
  container = { ...debian, hasSystemd: false }
})
const scope = (populated: 0 | 1): string => {
  const path = join(root, 'sampan.slice/sampan.scope')
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'cgroup.events'), `populated ${populated}\nfrozen 0\n`)
  return path
}

describe('with systemd', () => {
  test('the first process makes the scope', () => {
    const [program, args] = new ProcessPlace('sampan', debian).command('node', ['server.js'])
    expect(program).toBe('systemd-run')
    expect(args).toEqual(
      expect.arrayContaining(['--scope', '--slice=sampan.slice', '--unit=sampan.scope', 'Delegate=yes']),
    )
    expect(args.slice(-3)).toEqual(['--', 'node', 'server.js'])
  })

  test('the scope outlives the service at a shutdown', () => {
    expect(new ProcessPlace('sampan', debian).command('node', [])[1]).toContain('Before=sampan.service')
  })

  test('later ones join it, in groups of their own', () => {
    const path = scope(1)
    const place = new ProcessPlace('sampan', debian)
    expect(place.command('containerd', ['--config', 'x'])).toEqual(['containerd', ['--config', 'x']])
    place.settle(42, 'runtime')
    expect(readFileSync(join(path, 'runtime/cgroup.procs'), 'utf8')).toBe('42')
  })

  test('a scope without processes is about to go and is made anew', () => {
    scope(0)
    expect(new ProcessPlace('sampan', debian).command('node', [])[0]).toBe('systemd-run')
  })

  test('pods are inside, and clusters apart', () => {
    expect(new ProcessPlace('sampan', debian).podGroup).toBe('/sampan.slice/sampan.scope/pods')
    expect(new ProcessPlace('two', debian).podGroup).toBe('/sampan.slice/sampan-two.scope/pods')
    expect(['sampan', 'two'].map(serviceName)).toEqual(['sampan.service', 'sampan-two.service'])
  })
})

describe.each([
  ['no systemd', (): Machine => container],
  [
    'version 1 of control groups',
    (): Machine => ({ hasSystemd: true, cgroups: { version: 1, roots: [root] }, firstGroup: '/' }),
  ],
])('with %s', (_name, machine) => {
  test('processes stay where they are', () => {
    const place = new ProcessPlace('sampan', machine())
    expect(place.podGroup).toBe('/sampan/sampan')
    expect(place.command('node', ['a'])).toEqual(['node', ['a']])
    place.settle(42, 'server')
    expect(existsSync(join(root, 'sampan.slice'))).toBe(false)
  })

  test('groups that are in common go with the last cluster', async () => {
    const [one, two] = ['one', 'two'].map(name => new ProcessPlace(name, machine()))
    for (const place of [one!, two!]) mkdirSync(join(root, place.podGroup, 'besteffort'), { recursive: true })
    await one!.clear()
    expect(existsSync(join(root, two!.podGroup, 'besteffort'))).toBe(true)
    await two!.clear()
    expect(existsSync(join(root, 'sampan'))).toBe(false)
  })
})

describe.each([
  ['that sees only its own', '/'],
  ['that sees all of the machine', '/pods/one'],
])('in the group of a container %s', (_name, firstGroup) => {
  let own = ''
  beforeEach(() => {
    own = join(root, firstGroup)
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'cgroup.procs'), '1\n17\n')
    writeFileSync(join(own, 'cgroup.type'), 'domain\n')
    container = { ...container, firstGroup }
  })

  test('processes make room, so that it can hand controls down', () => {
    leaveContainerGroup(container)
    expect(readFileSync(join(own, 'sampan-processes/cgroup.procs'), 'utf8')).toBe('17')
  })

  test('pods are below it, also when a server starts that finds the processes moved', () => {
    const moved = { ...container, firstGroup: join(firstGroup, 'sampan-processes') }
    for (const machine of [container, moved])
      expect(new ProcessPlace('sampan', machine).podGroup).toBe(join(firstGroup, 'sampan/sampan'))
  })
})

test('processes of a machine stay: under systemd, and in the real root', () => {
  writeFileSync(join(root, 'cgroup.procs'), '1\n')
  writeFileSync(join(root, 'cgroup.type'), 'domain\n')
  leaveContainerGroup(debian)
  rmSync(join(root, 'cgroup.type'))
  leaveContainerGroup(container)
  expect(existsSync(join(root, 'sampan-processes'))).toBe(false)
})
