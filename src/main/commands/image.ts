// `sampan image`: makes Sampan's own image, for the cluster's registry or as a file for other machines.
import { resolve } from 'node:path'
import { clusterRegistry } from '../../cli/cluster-registry.ts'
import { imageMaking } from '../../cli/image-making.ts'
import { Output } from '../../cli/output.ts'
import { loggedIn } from '../../cli/registry-login.ts'
import type { Layer } from '../../images/build/layers/layer.ts'
import { pushImage, saveImage, type BuiltImage } from '../../images/build/push-image.ts'
import { makeOwnImage, ownImageConfig } from '../../images/own/own-image.ts'
import { registryAsked } from '../command-options.ts'
import { packageDirectory } from '../own-package.ts'
import { sampanVersion } from '../../lib/version.ts'

export interface ImageOptions {
  readonly context?: string
  /** `host:port` of the registry to push to. */
  readonly registry?: string
  /** The file to write instead. */
  readonly archive?: string
  readonly output?: 'json'
}

export async function image(options: ImageOptions): Promise<void> {
  const output = new Output()
  const name = { repository: 'sampan', tag: sampanVersion }
  const archive = options.archive === undefined ? undefined : resolve(options.archive)
  const registry =
    archive === undefined ? (options.registry ?? (await clusterRegistry(options.context, registryAsked))) : ''
  const pushTo = async (address: string, layers: readonly Layer[]): Promise<BuiltImage> => {
    const client = loggedIn(address, name.repository)
    return pushImage(client, name, layers, ownImageConfig).finally(() => client.close())
  }
  const making = imageMaking(output, `making ${name.repository}:${name.tag}`)
  const built = await makeOwnImage({ packageDirectory, ...making }, layers =>
    archive === undefined ? pushTo(registry, layers) : saveImage(archive, name, layers, ownImageConfig),
  )
  output.quiet()
  const reference = `${archive === undefined ? 'sampan.local/' : ''}${name.repository}:${name.tag}`
  const megabytes = Math.round(built.sizeBytes / 1e6)
  if (options.output === 'json')
    console.log(JSON.stringify({ image: reference, digest: built.digest, sizeBytes: built.sizeBytes }))
  else if (archive === undefined) output.line(`made ${reference} (${megabytes} MB); run it as a privileged container`)
  else
    output.line(
      `made ${archive} (${megabytes} MB); next: docker load -i ${archive} && docker run --privileged --detach --name sampan -p 127.0.0.1:6443:6443 ${reference}`,
    )
}
