// The class `local-path`, which claims get that name none: directories of the node that the first pod runs on.
// It is made once for a cluster; who deletes it does not get it back.
import { isAlreadyExists } from '../api/api-error.ts'
import type { StorageClass } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { defaultClassOf } from '../api/persistent-storage.ts'
import { namespaces, storageClasses } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { localPathProvisioner } from '../controllers/local-path-provisioner/volume.ts'

/** Of the namespace kube-system: which class was made. */
const madeAnnotation = 'sampan.dev/default-storage-class'
const name = 'local-path'

/** Where people chose another default before, it does not become a second one. */
export async function offerStorageClass(client: Client): Promise<void> {
  const home = client.informer(namespaces).get({ name: 'kube-system' })
  if (home === undefined || home.metadata.annotations?.[madeAnnotation] !== undefined) return
  const isDefault = defaultClassOf(client.informer(storageClasses).list()) === undefined
  await client.create(storageClasses, classOf(isDefault)).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error
  })
  await client.patch(namespaces, home.metadata, {
    type: 'merge',
    value: { metadata: { annotations: { [madeAnnotation]: name } } },
  })
}

const classOf = (isDefault: boolean): New<StorageClass> => ({
  metadata: { name, ...(isDefault && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }) },
  provisioner: localPathProvisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
})
