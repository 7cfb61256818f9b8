// The class `local-path`, which claims get that name none: directories of the node that the first pod runs on.
import { defaultClassOf } from '../api/persistent-storage.ts'
import { storageClasses } from '../api/resources.ts'
import type { Client } from '../client/client.ts'
import { localPathProvisioner } from '../controllers/local-path-provisioner/volume.ts'
import { offerOnce } from './offer-once.ts'

/** Where people chose another default before, it does not become a second one. */
export const offerStorageClass = (client: Client): Promise<void> =>
  offerOnce(client, {
    resource: storageClasses,
    madeAnnotation: 'sampan.dev/default-storage-class',
    make: others => ({
      metadata: {
        name: 'local-path',
        ...(defaultClassOf(others) === undefined && {
          annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
        }),
      },
      provisioner: localPathProvisioner,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    }),
  })
