// The question to an admission webhook and what of its answer counts: AdmissionReview, v1 and v1beta1.
// Source: apiserver pkg/admission/plugin/webhook/request.
import { parseExactJson } from '../../../lib/exact-json.ts'
import type { Status } from '../../../api/api-error.ts'
import { isObject } from '../../../api/patch/json-value.ts'
import { apiVersionOf } from '../../../api/resource.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { AdmissionRequest } from '../../server-context.ts'
import { WebhookFault } from '../../webhooks/webhook-caller.ts'
import { requestFields } from '../request-fields.ts'
import type { Invocation } from './invocation.ts'

export interface ReviewAnswer {
  readonly allowed: boolean
  readonly status: Partial<Status>
  readonly warnings: readonly string[]
  /** For the audit log. */
  readonly annotations: readonly (readonly [key: string, value: string])[]
  /** Operations of a JSON patch, not checked. */
  readonly patch: unknown
}

const reviewGroup = 'admission.k8s.io'

/** @param object and old in the form of the invocation's kind */
export function reviewOf(
  { webhook, kind }: Invocation,
  request: AdmissionRequest,
  uid: string,
  object: KubeObject | undefined,
  old: KubeObject | undefined,
): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: `${reviewGroup}/${webhook.reviewVersion}`,
    request: { uid, ...requestFields(request, kind), object: object ?? null, oldObject: old ?? null },
  }
}

/** @throws WebhookFault when the answer is none to this question */
export function answerOf(review: unknown, { webhook }: Invocation, uid: string, mutating: boolean): ReviewAnswer {
  if (!isObject(review) || !isObject(review['response'])) throw invalid('webhook response was absent')
  const { response, apiVersion, kind } = review
  const { allowed, status, warnings, patch, patchType, auditAnnotations } = response as Record<string, unknown>
  if (webhook.reviewVersion === 'v1') {
    if (response['uid'] !== uid)
      throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`)
    const expected = { group: reviewGroup, version: 'v1' }
    if (apiVersion !== apiVersionOf(expected) || kind !== 'AdmissionReview')
      throw invalid(
        `expected webhook response of ${reviewGroup}/v1, Kind=AdmissionReview, got ${text(apiVersion)}, Kind=${text(kind)}`,
      )
    checkPatch(patch, patchType, mutating)
  }
  return {
    allowed: allowed === true,
    status: isObject(status) ? status : {},
    annotations: isObject(auditAnnotations)
      ? Object.entries(auditAnnotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
      : [],
    warnings: Array.isArray(warnings) ? warnings.filter(warning => typeof warning === 'string') : [],
    patch: mutating && typeof patch === 'string' && patch !== '' ? operationsOf(patch, patchType) : undefined,
  }
}

function checkPatch(patch: unknown, patchType: unknown, mutating: boolean): void {
  const given = typeof patch === 'string' && patch !== ''
  if (!mutating) {
    if (given) throw invalid('validating webhook may not return response.patch')
    if (patchType !== undefined && patchType !== null)
      throw invalid('validating webhook may not return response.patchType')
    return
  }
  const typed = patchType !== undefined && patchType !== null
  if (given && !typed) throw invalid('webhook returned response.patch but not response.patchType')
  if (!given && typed) throw invalid('webhook returned response.patchType but not response.patch')
  if (patchType === '') throw invalid('webhook returned invalid response.patchType of ""')
}

function operationsOf(patch: string, patchType: unknown): unknown {
  if (patchType !== undefined && patchType !== null && patchType !== 'JSONPatch')
    throw new WebhookFault(`unsupported patch type ${JSON.stringify(patchType)}`, false)
  try {
    return parseExactJson(Buffer.from(patch, 'base64').toString())
  } catch (error) {
    throw new WebhookFault(`received undecodable patch in webhook response: ${(error as Error).message}`, false)
  }
}

const invalid = (why: string): WebhookFault => new WebhookFault(`received invalid webhook response: ${why}`, false)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
