// Objects that a cluster gets once, to begin with: who deletes one does not get it back.
import { isAlreadyExists } from '../api/api-error.ts'
import type { KubeObject, New } from '../api/object.ts'
import type { Resource } from '../api/resource.ts'
import { namespaces } from '../api/resources.ts'
import type { Client } from '../client/client.ts'

export interface Offer<T extends KubeObject> {
  readonly resource: Resource<T>
  /** Annotation of the namespace kube-system that says that it was made. */
  readonly madeAnnotation: string
  /** @param others that there are already */
  readonly make: (others: readonly T[]) => New<T> & { readonly metadata: { readonly name: string } }
}

export async function offerOnce<T extends KubeObject>(
  client: Client,
  { resource, madeAnnotation, make }: Offer<T>,
): Promise<void> {
  const home = client.informer(namespaces).get({ name: 'kube-system' })
  if (home === undefined || home.metadata.annotations?.[madeAnnotation] !== undefined) return
  const others = client.informer(resource)
  await others.synced
  const offered = make(others.list())
  await client.create(resource, offered).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error
  })
  await client.patch(namespaces, home.metadata, {
    type: 'merge',
    value: { metadata: { annotations: { [madeAnnotation]: offered.metadata.name } } },
  })
}
