// The shop of examples/shop for tests whose clusters reach no registry but their own.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository, succeeded, warmLayers, type ClusterFixture } from '../../src/testing/cluster-fixture.ts'
import { serverImage } from '../../src/testing/service-images.ts'

export const shopFolder = join(repository, 'examples/shop')
export const shopServices = ['orders', 'mail', 'web'] as const

/** What its images need from npm is kept from then on. */
export const warmShop = (): Promise<void> => warmLayers(...shopServices.map(service => join(shopFolder, service)))

/** The servers come from images of this machine's packages. @param directory a copy of the shop */
export async function localServers(cluster: ClusterFixture, directory: string): Promise<void> {
  const program = join(repository, 'src/testing/service-images.ts')
  const args = [program, await cluster.registry(), 'postgres', 'rabbitmq']
  succeeded(await cluster.run(process.execPath, args, { timeoutMs: 120_000 }))
  for (const [service, type] of [
    ['orders', 'postgres'],
    ['mail', 'rabbitmq'],
  ] as const) {
    const file = join(directory, service, 'app.yml')
    const text = readFileSync(file, 'utf8')
    const named = text.replace(`${type}: true`, `${type}: { image: '${serverImage(type)}' }`)
    if (named === text) throw new Error(`${file} does not say "${type}: true"`)
    writeFileSync(file, named)
  }
}
