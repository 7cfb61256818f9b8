// Gives every pod a service account and, unless it declines, the projected volume with its token, the
// cluster's CA and its namespace. Source: plugin/pkg/admission/serviceaccount.
import type { Container, Pod, ServiceAccount, Volume } from '../../api/generated/models.ts'
import { forbidden } from '../../api/api-error.ts'
import { pods, serviceAccounts } from '../../api/resources.ts'
import { nameSuffix } from '../../lib/random.ts'
import { isPlainResource } from './admission.ts'
import type { AdmissionPlugin } from '../server-context.ts'

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'
/** One hour, and 7 seconds by which a token of this volume is told from others. */
const tokenSeconds = 3607

export const serviceAccountAdmission: AdmissionPlugin = {
  name: 'ServiceAccount',
  mutate(request, { storage, random }) {
    if (request.operation !== 'CREATE' || !isPlainResource(request, '', 'pods')) return
    const pod = request.object as Pod
    if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return
    const name = pod.spec.serviceAccountName || 'default'
    pod.spec.serviceAccountName = name
    pod.spec.serviceAccount = name
    const namespace = request.target.namespace!
    const account = storage.get(serviceAccounts, `${namespace}/${name}`)?.object as ServiceAccount | undefined
    if (account === undefined) {
      throw forbidden(
        pods,
        pod.metadata.name,
        `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
      )
    }
    if (pod.spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
      mountToken(pod, `kube-api-access-${nameSuffix(random)}`)
    if ((pod.spec.imagePullSecrets ?? []).length === 0 && account.imagePullSecrets !== undefined)
      pod.spec.imagePullSecrets = structuredClone(account.imagePullSecrets)
  },
}

function mountToken(pod: Pod, fallbackName: string): void {
  const containers: Container[] = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  const without = containers.filter(container => !container.volumeMounts?.some(mount => mount.mountPath === mountPath))
  if (without.length === 0) return
  const existing = pod.spec.volumes?.find(
    volume => volume.name.startsWith('kube-api-access-') && volume.projected !== undefined,
  )
  const volume = existing ?? tokenVolume(fallbackName)
  if (existing === undefined) (pod.spec.volumes ??= []).push(volume)
  for (const container of without)
    (container.volumeMounts ??= []).push({ name: volume.name, readOnly: true, mountPath })
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  }
}
