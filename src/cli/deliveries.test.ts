// Which images a delivery builds, with a registry that has none.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readManifest } from '../delivery/manifest/read-manifest.ts'
import { startRegistry, type Registry } from '../images/registry/registry.ts'
import { deploymentOf } from './deliveries.ts'
import type { Target } from './target.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-deliveries-'))
let registry: Registry
beforeAll(async () => {
  registry = await startRegistry({ directory, host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await registry.close()
  rmSync(directory, { recursive: true })
})

test('the folder of a service is built for its own image alone', async () => {
  const text = 'name: dock\nsidecars: { pump: "sampan.local/pump:1.0.0" }\n'
  const manifest = readManifest('app.yml', text, 'test', undefined)
  const target = { environment: 'test', registry: async () => ({ host: `127.0.0.1:${registry.port}` }) }
  const report = { step: () => {}, waiting: () => {}, note: () => {} }
  const identity = { key: undefined, keyFile: undefined, home: directory }
  const asked: string[] = []
  const { gather } = deploymentOf(
    target as unknown as Target,
    { manifest, file: join(directory, 'app.yml') },
    '1.0.0',
    { report, identity },
    async (_folder, { repository, tag }) => {
      asked.push(`${repository}:${tag}`)
      return false
    },
  )
  const place = { environment: 'test', namespace: 'test', service: 'dock' }
  await expect(gather(place, undefined)).rejects.toThrow(
    /no image sampan\.local\/dock:1\.0\.0[\s\S]*local\/pump:1\.0\.0/,
  )
  expect(asked).toEqual(['dock:1.0.0'])
})
