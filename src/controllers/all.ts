// Every control loop of a cluster.
import type { CertificateSigner } from '../api/certificate-request.ts'
import type { KindDefinition } from '../api/kind.ts'
import { events } from '../api/resources.ts'
import type { ControllerDefinition } from '../control/controller.ts'
import { filteredResources, type ResourceSource } from '../control/resource-source.ts'
import { bootstrapSigner } from './bootstrap-signer/bootstrap-signer.ts'
import { certificateApproving } from './certificate-approving/certificate-approving.ts'
import { certificateCleaner } from './certificate-cleaner/certificate-cleaner.ts'
import { certificateSigning } from './certificate-signing/certificate-signing.ts'
import { clusterRoleAggregationController } from './clusterrole-aggregation/clusterrole-aggregation.ts'
import { cronJobController } from './cronjob/cronjob.ts'
import { daemonSetController } from './daemonset/daemonset.ts'
import { deploymentController } from './deployment/deployment.ts'
import { disruptionController } from './disruption/disruption.ts'
import { staleDisruptionTarget } from './disruption/stale-disruption-target.ts'
import { endpointsController } from './endpoints/endpoints.ts'
import { endpointSliceController } from './endpointslice/endpointslice.ts'
import { endpointSliceMirroringController } from './endpointslice-mirroring/endpointslice-mirroring.ts'
import { ephemeralVolumeController } from './ephemeral-volume/ephemeral-volume.ts'
import { garbageCollector } from './garbage-collector/garbage-collector.ts'
import { jobController } from './job/job.ts'
import { legacyServiceAccountTokenCleaner } from './legacy-serviceaccount-token-cleaner/legacy-serviceaccount-token-cleaner.ts'
import { namespaceController } from './namespace/namespace.ts'
import { nodeLifecycleController } from './node-lifecycle/node-lifecycle.ts'
import { persistentVolumeBinder } from './persistentvolume-binder/persistentvolume-binder.ts'
import { podGarbageCollector } from './pod-garbage-collector/pod-garbage-collector.ts'
import { replicaSetController } from './replicaset/replicaset.ts'
import { replicationControllerController } from './replicationcontroller/replicationcontroller.ts'
import { resourceQuotaController } from './resourcequota/resourcequota.ts'
import { rootCaController } from './root-ca/root-ca.ts'
import { serviceCidrController } from './service-cidrs/service-cidrs.ts'
import { serviceAccountController } from './serviceaccount/serviceaccount.ts'
import { serviceAccountTokenController, type IssueLegacyToken } from './serviceaccount-token/serviceaccount-token.ts'
import { statefulSetController } from './statefulset/statefulset.ts'
import { taintEvictionController } from './taint-eviction/taint-eviction.ts'
import { tokenCleaner } from './token-cleaner/token-cleaner.ts'
import { ttlController } from './ttl/ttl.ts'
import { claimProtectionController, volumeProtectionController } from './volume-protection/volume-protection.ts'
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicy-status/validatingadmissionpolicy-status.ts'

export interface ControllerOptions {
  /** The certificate authority of the API server. */
  readonly rootCaPem: string
  /** What garbage collection and the deletion of namespaces reach: everything that is stored. */
  readonly resources: ResourceSource
  /** What policies can be about. */
  readonly kinds: readonly KindDefinition[]
  readonly issueToken: IssueLegacyToken
  readonly certificates: CertificateSigner
  /** How long a range of service addresses outlives its deletion at least; as long as Kubernetes has it by default. */
  readonly serviceCidrGraceMs?: number
}

export function allControllers({
  rootCaPem,
  resources,
  kinds,
  issueToken,
  certificates,
  serviceCidrGraceMs,
}: ControllerOptions): readonly ControllerDefinition[] {
  const owned = filteredResources(resources, resource => resource.plural !== events.plural)
  return [
    namespaceController(resources),
    serviceAccountController,
    rootCaController(rootCaPem),
    replicaSetController,
    replicationControllerController,
    deploymentController,
    jobController,
    claimProtectionController,
    volumeProtectionController,
    persistentVolumeBinder,
    ephemeralVolumeController,
    statefulSetController,
    daemonSetController,
    cronJobController,
    endpointsController,
    endpointSliceController,
    endpointSliceMirroringController,
    resourceQuotaController(filteredResources(owned, resource => resource.scope === 'Namespaced')),
    garbageCollector(owned),
    clusterRoleAggregationController,
    podGarbageCollector,
    nodeLifecycleController,
    taintEvictionController,
    ttlController,
    disruptionController,
    staleDisruptionTarget,
    serviceCidrController(serviceCidrGraceMs),
    validatingAdmissionPolicyStatusController(kinds),
    serviceAccountTokenController(rootCaPem, issueToken),
    legacyServiceAccountTokenCleaner,
    tokenCleaner,
    bootstrapSigner,
    certificateApproving(certificates),
    certificateSigning(certificates),
    certificateCleaner,
  ]
}
