// Pushes the busybox test image to a registry under one tag or more; a program of its own, because the registry of a cluster
// under test is reached from inside its network namespace only:
//   node push-busybox.ts 127.0.0.1:5000 busybox 1 ...
import { RegistryClient } from '../images/client/registry-client.ts'
import { busyboxImage } from './busybox-image.ts'

const [address = '', repository = '', ...tags] = process.argv.slice(2)
const registry = new RegistryClient(address, repository)
const { manifest, config, layers } = await busyboxImage()
for (const { content } of [config, ...layers]) await registry.pushBytes(content)
for (const tag of tags) await registry.pushManifest(tag, manifest.mediaType, manifest.content)
