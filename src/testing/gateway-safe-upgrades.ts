// The policy that keeps definitions of the Gateway API from being replaced by older or experimental ones. It comes
// with the definitions and judges them, too.
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from '../api/generated/models.ts'
import type { New } from '../api/object.ts'
import { gatewayGroup } from '../api/gateway-names.ts'
import { bundleAnnotations } from '../gateway/kinds/bundle.ts'

const name = `safe-upgrades.${gatewayGroup}`
const metadata = { name, annotations: bundleAnnotations }

const isOther = `object.spec.group != '${gatewayGroup}'`
const annotation = (of: string, key: string): string => `${of}.metadata.annotations['${gatewayGroup}/${key}']`
const hasAnnotation = (of: string, key: string): string =>
  `has(${of}.metadata.annotations) && ${of}.metadata.annotations.exists(k, k == '${gatewayGroup}/${key}')`
const isOfChannel = (of: string, channel: string): string =>
  `${hasAnnotation(of, 'channel')} && ${annotation(of, 'channel')} == '${channel}'`
const versionMatches = (pattern: string): string => `matches(${annotation('object', 'bundle-version')}, '${pattern}')`

const definitions = (resource: string): object => ({
  apiGroups: ['apiextensions.k8s.io'],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: [resource],
})

export const safeUpgradesPolicy = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata,
  spec: {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: [definitions('*')] },
    validations: [
      {
        expression: `${isOther} || oldObject == null || (${isOfChannel('object', 'standard')}) || (oldObject != null && ${isOfChannel('oldObject', 'experimental')})`,
        message:
          'Installing experimental CRDs on top of standard channel CRDs is prohibited by default. ' +
          `Uninstall ValidatingAdmissionPolicy ${name} to install experimental CRDs on top of standard channel CRDs.`,
        reason: 'Invalid',
      },
      {
        expression: `${isOther} || (${hasAnnotation('object', 'bundle-version')} && (${versionMatches('-(rc)')} || (!${versionMatches(String.raw`v1.[0-5].\\d+`)} && !${versionMatches('v0')})))`,
        message:
          'Installing CRDs with version before v1.5.0 is prohibited by default. ' +
          `Uninstall ValidatingAdmissionPolicy ${name} to install older versions.`,
        reason: 'Invalid',
      },
    ],
  },
} satisfies New<ValidatingAdmissionPolicy>

export const safeUpgradesBinding = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata,
  spec: {
    policyName: name,
    validationActions: ['Deny'],
    matchResources: { resourceRules: [definitions('customresourcedefinitions')] },
  },
} satisfies New<ValidatingAdmissionPolicyBinding>
