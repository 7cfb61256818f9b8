// Nothing is created in a namespace that does not exist or is being deleted, and the namespaces the
// cluster lives in cannot be deleted.
import type { Namespace } from '../../api/generated/models.ts'
import { forbidden, notFound } from '../../api/api-error.ts'
import { namespaces } from '../../api/resources.ts'
import type { AdmissionPlugin } from '../server-context.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  mutate({ operation, target, object }, { storage }) {
    const { resource } = target.kind
    if (
      operation === 'DELETE' &&
      resource.plural === 'namespaces' &&
      resource.group === '' &&
      immortal.has(target.name)
    ) {
      throw forbidden(resource, target.name, 'this namespace may not be deleted')
    }
    if (operation !== 'CREATE' || target.namespace === undefined || target.subresource !== undefined) return
    const namespace = storage.get(namespaces, target.namespace)?.object as Namespace | undefined
    if (namespace === undefined) throw notFound(namespaces, target.namespace)
    if (namespace.status?.phase === 'Terminating') {
      const name = object?.metadata.name ?? target.name
      const error = forbidden(
        resource,
        name,
        `unable to create new content in namespace ${target.namespace} because it is being terminated`,
      )
      error.status.details = {
        ...error.status.details,
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: `namespace ${target.namespace} is being terminated`,
            field: 'metadata.namespace',
          },
        ],
      }
      throw error
    }
  },
}
