// Which images a delivery builds, with a registry that has none.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readManifest } from '../delivery/manifest/read-manifest.ts'
import { startRegistry, type Registry } from '../images/registry/registry.ts'
import { deploymentOf } from './deliveries.ts'
import type { Target } from './target.ts'

const folder = mkdtempSync(join(tmpdir(), 'sampan-deliveries-'))
writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'dock', version: '1.0.0' }))
let registry: Registry
beforeAll(async () => {
  registry = await startRegistry({ directory: join(folder, 'registry'), host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await registry.close()
  rmSync(folder, { recursive: true })
})

test('the folder of a service is built for its own image, and for none of its sidecars', async () => {
  const notes: string[] = []
  const report = { step: () => {}, waiting: () => {}, note: (text: string) => notes.push(text) }
  const gathered = (text: string): Promise<unknown> => {
    const manifest = readManifest('app.yml', text, 'test', undefined)
    const target = { environment: 'test', registry: async () => ({ host: `127.0.0.1:${registry.port}` }) }
    const identity = { key: undefined, keyFile: undefined, home: folder }
    const found = { manifest, file: join(folder, 'app.yml') }
    const { gather } = deploymentOf(target as unknown as Target, found, '1.0.0', { report, identity, builds: false })
    return gather({ environment: 'test', namespace: 'test', service: 'dock' }, undefined)
  }
  await expect(gathered('name: dock')).resolves.toMatchObject({ image: { reference: 'sampan.local/dock:1.0.0' } })
  await expect(gathered('name: dock\nsidecars: { pump: "sampan.local/pump:1.0.0" }')).rejects.toThrow(
    /^there is no image sampan\.local\/pump:1\.0\.0/,
  )
  const told = `there is no image sampan.local/dock:1.0.0 yet; a delivery builds it from ${folder}`
  expect(notes).toEqual([told, told])
})
