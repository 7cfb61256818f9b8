// RuntimeClass: a pod takes over the overhead and the placement of its class.
import type { Pod, RuntimeClass } from '../../api/generated/models.ts'
import { forbidden } from '../../api/api-error.ts'
import { pods, runtimeClasses } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import type { AdmissionPlugin } from '../server-context.ts'
import { isPlainResource } from './admission.ts'

export const runtimeClassAdmission: AdmissionPlugin = {
  name: 'RuntimeClass',
  mutate(request, { storage }) {
    if (request.operation !== 'CREATE' || !isPlainResource(request, '', 'pods')) return
    const { spec, metadata } = request.object as Pod
    const refuse = (why: string): Error => forbidden(pods, metadata.name ?? '', why)
    if (!spec.runtimeClassName) {
      if (spec.overhead !== undefined && Object.keys(spec.overhead).length > 0)
        throw refuse('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
      return
    }
    const found = storage.get(runtimeClasses, spec.runtimeClassName)?.object as RuntimeClass | undefined
    if (found === undefined) throw refuse(`pod rejected: RuntimeClass "${spec.runtimeClassName}" not found`)
    const overhead = found.overhead?.podFixed
    if (spec.overhead !== undefined && !sameJson(spec.overhead, overhead ?? {}))
      throw refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    if (overhead !== undefined) spec.overhead = { ...overhead }
    const selector = found.scheduling?.nodeSelector ?? {}
    const clash = Object.keys(selector).find(
      key => spec.nodeSelector?.[key] !== undefined && spec.nodeSelector[key] !== selector[key],
    )
    if (clash !== undefined)
      throw refuse(
        `conflict: runtimeClass.scheduling.nodeSelector[${clash}] = ${selector[clash]}; pod.spec.nodeSelector[${clash}] = ${spec.nodeSelector![clash]}`,
      )
    if (Object.keys(selector).length > 0) spec.nodeSelector = { ...spec.nodeSelector, ...selector }
    for (const toleration of found.scheduling?.tolerations ?? []) {
      if (!spec.tolerations?.some(one => sameJson(one, toleration))) (spec.tolerations ??= []).push({ ...toleration })
    }
  },
}
