import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connectControl, serveControl, type ControlCommands, type ServerFacts } from './control-socket.ts'

const facts = { pid: 1, url: 'https://127.0.0.1:6443' } as ServerFacts

async function serve(commands: ControlCommands) {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-control-'))
  const path = join(directory, 'control.sock')
  const control = await serveControl(path, () => facts, commands)
  onTestFinished(() => {
    control.close()
    rmSync(directory, { recursive: true })
  })
  return { path, control }
}

test('pods are stopped first, and what is left of them is told', async () => {
  const heard: string[] = []
  const { path } = await serve({
    stop: () => heard.push('stop'),
    stopPods: (limitSeconds, onProgress) => {
      heard.push(`stop-pods ${limitSeconds}`)
      onProgress(['default/web', 'default/api'])
      onProgress([])
    },
  })
  const connection = (await connectControl(path))!
  // What an older server does not say is known all the same.
  expect(connection.facts).toEqual({ ...facts, nodePortAddresses: ['127.0.0.0/8'], warnings: [] })
  const told: string[][] = []
  const done = connection.stop(20, left => {
    told.push([...left])
    // The server that has stopped takes its connections along.
    if (left.length === 0) connection.close()
  })
  await done
  expect(told).toEqual([['default/web', 'default/api'], []])
  // The second word is for servers of earlier versions.
  expect(heard).toEqual(['stop-pods 20', 'stop'])
})

test('no server, no connection', async () => {
  expect(await connectControl('/nowhere/control.sock')).toBeUndefined()
})

test('a server that says nothing is not waited for without end', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-control-'))
  const path = join(directory, 'control.sock')
  const silent = createServer().listen(path)
  onTestFinished(() => {
    silent.close()
    rmSync(directory, { recursive: true })
  })
  await once(silent, 'listening')
  await expect(connectControl(path, 1)).rejects.toThrow(`nobody answers at ${path}`)
})
