// What the tag of an image stands for: against a real registry, named by a real API server as a cluster names it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { publishRegistryHosting } from '../client/registry-hosting.ts'
import { RegistryClient } from '../images/client/registry-client.ts'
import { startRegistry, type Registry } from '../images/registry/registry.ts'
import { startTestServer, type TestServer } from '../testing/in-process-server.ts'
import { registryHosting } from '../client/registry-hosting.ts'
import { findImage } from './find-image.ts'

const directory = mkdtempSync(join(tmpdir(), 'sampan-find-image-'))
let registry: Registry
let server: TestServer
let digest = ''
beforeAll(async () => {
  server = await startTestServer()
  registry = await startRegistry({ directory, host: '127.0.0.1', port: 0 })
  const client = new RegistryClient(`127.0.0.1:${registry.port}`, 'web')
  const config = await client.pushBytes(Buffer.from('{}'))
  const manifest = { schemaVersion: 2, config: { digest: config, size: 2 }, layers: [] }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  digest = (await client.pushManifest('1.0.0', mediaType, Buffer.from(JSON.stringify(manifest)))).digest
})
afterAll(async () => {
  await registry.close()
  await server.close()
  rmSync(directory, { recursive: true })
})

describe('an image of the cluster', () => {
  test('whose registry is not told is not pinned', async () => {
    expect(await findImage(() => registryHosting(server.local), 'sampan.local/web:1.0.0')).toEqual({
      reason: 'this cluster does not say where its registry is',
    })
  })

  test('has the digest that its registry says', async () => {
    await publishRegistryHosting(server.local, { host: '127.0.0.1:1' })
    await publishRegistryHosting(server.local, { host: `127.0.0.1:${registry.port}` })
    expect(await findImage(() => registryHosting(server.remote), 'sampan.local/web:1.0.0')).toEqual({ digest })
  })

  test('that is not there is told with what is there and what to do', async () => {
    expect(await findImage(() => registryHosting(server.local), 'sampan.local/web:2.0.0')).toEqual({
      absent:
        'there is no image sampan.local/web:2.0.0; its registry has 1.0.0; make it with: sampan build --tag web:2.0.0',
    })
    expect(await findImage(() => registryHosting(server.local), 'sampan.local/wep:1.0.0')).toEqual({
      absent: expect.stringContaining('its registry has none of that name'),
    })
  })

  test('that is no name of an image is told', async () => {
    await expect(findImage(() => registryHosting(server.local), 'sampan.local/web:1 0')).rejects.toThrow(
      'expected an image such as',
    )
  })
})
