// Puts an image straight into containerd's content store: three or four small calls instead of starting
// a tool. CRI unpacks it at first use. A lease keeps the garbage collector away until the image exists.
import { containerdMessages, criNamespace, writeAction } from './containerd-wire.ts'
import type { GrpcChannel } from '../grpc/channel.ts'
import { runtimeChannel } from './runtime-channel.ts'
import type { Blob, OciImage } from './oci-image.ts'
import { messageCodecs } from '../grpc/protobuf-messages.ts'

const services = '/containerd.services.'
const paths = {
  write: `${services}content.v1.Content/Write`,
  createImage: `${services}images.v1.Images/Create`,
  updateImage: `${services}images.v1.Images/Update`,
  createLease: `${services}leases.v1.Leases/Create`,
  deleteLease: `${services}leases.v1.Leases/Delete`,
}
const types: Readonly<Record<string, { request: string; response: string }>> = {
  [paths.write]: { request: 'WriteContentRequest', response: 'WriteContentResponse' },
  [paths.createImage]: { request: 'CreateImageRequest', response: 'CreateImageResponse' },
  [paths.updateImage]: { request: 'UpdateImageRequest', response: 'UpdateImageResponse' },
  [paths.createLease]: { request: 'CreateLeaseRequest', response: 'CreateLeaseResponse' },
  [paths.deleteLease]: { request: 'DeleteLeaseRequest', response: 'Empty' },
}

const chunkBytes = 1 << 20

export async function importOciImage(socketPath: string, name: string, image: OciImage): Promise<void> {
  const channel = runtimeChannel(socketPath, messageCodecs(containerdMessages), path => types[path]!)
  const lease = `import-${name}-${process.pid}-${Date.now()}`
  const metadata = { 'containerd-namespace': criNamespace, 'containerd-lease': lease }
  try {
    await channel.call(paths.createLease, { id: lease }, { metadata })
    await Promise.all([image.config, ...image.layers].map(blob => writeBlob(channel, metadata, blob, {})))
    await writeBlob(channel, metadata, image.manifest, contentReferences([image.config, ...image.layers]))
    await createOrUpdate(channel, metadata, name, image.manifest)
    await channel.call(paths.deleteLease, { id: lease }, { metadata })
  } finally {
    channel.close()
  }
}

/** What containerd's garbage collector follows from the manifest. */
const contentReferences = (blobs: readonly Blob[]): Record<string, string> =>
  Object.fromEntries(blobs.map((blob, index) => [`containerd.io/gc.ref.content.${index}`, blob.digest]))

async function writeBlob(
  channel: GrpcChannel,
  metadata: Record<string, string>,
  blob: Blob,
  labels: Record<string, string>,
): Promise<void> {
  const head = { ref: `sampan-${blob.digest}`, total: blob.content.length, expected: blob.digest }
  const requests: object[] = []
  for (let offset = 0; offset < blob.content.length; offset += chunkBytes) {
    requests.push({
      ...head,
      action: writeAction.write,
      offset,
      data: blob.content.subarray(offset, offset + chunkBytes),
    })
  }
  requests.push({ ...head, action: writeAction.commit, offset: blob.content.length, labels })
  await channel.send(paths.write, requests, { metadata }).catch((error: unknown) => {
    if (!alreadyExists(error)) throw error
  })
}

async function createOrUpdate(
  channel: GrpcChannel,
  metadata: Record<string, string>,
  name: string,
  manifest: Blob,
): Promise<void> {
  const image = {
    name,
    target: { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.content.length },
  }
  try {
    await channel.call(paths.createImage, { image }, { metadata })
  } catch (error) {
    if (!alreadyExists(error)) throw error
    await channel.call(paths.updateImage, { image }, { metadata })
  }
}

const alreadyExists = (error: unknown): boolean => error instanceof Error && error.message.includes('AlreadyExists')
