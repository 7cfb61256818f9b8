// Kinds that are questions or orders: posted and answered, never stored. The server answers them.
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, required } from '../field-error.ts'
import type { KubeObject } from '../object.ts'
import { defineKind, type KindDefinition } from '../kind.ts'
import type { Resource } from '../resource.ts'
import {
  bindings,
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  selfSubjectReviews,
  selfSubjectRulesReviews,
  subjectAccessReviews,
  tokenReviews,
} from '../resources.ts'
import { columns } from './cells.ts'

interface AccessReviewSpec {
  readonly user?: string
  readonly groups?: readonly string[]
  readonly resourceAttributes?: { readonly namespace?: string }
  readonly nonResourceAttributes?: object
}

function posted<T extends KubeObject>(resource: Resource<T>, validate?: (object: T) => FieldError[]): KindDefinition {
  return defineKind<T>({
    resource,
    model: `V1${resource.kind}`,
    singular: resource.kind.toLowerCase(),
    verbs: ['create'],
    stored: false,
    ...(validate && { validate }),
    columns: columns('Name', 'Created At:date'),
    row: ({ metadata }) => [metadata.name, metadata.creationTimestamp],
  })
}

function validateAttributes({ resourceAttributes, nonResourceAttributes }: AccessReviewSpec): FieldError[] {
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined)
    return [
      invalidValue(
        'spec.nonResourceAttributes',
        nonResourceAttributes,
        'cannot be specified in combination with resourceAttributes',
      ),
    ]
  return resourceAttributes === undefined && nonResourceAttributes === undefined
    ? [
        invalidValue(
          'spec.resourceAttributes',
          null,
          'exactly one of nonResourceAttributes or resourceAttributes must be specified',
        ),
      ]
    : []
}

function validateSubject(spec: AccessReviewSpec): FieldError[] {
  const nobody = !spec.user && (spec.groups ?? []).length === 0
  return joinErrors(
    validateAttributes(spec),
    nobody ? [invalidValue('spec.user', spec.user ?? '', 'at least one of user or group must be specified')] : [],
  )
}

export const bindingKind = posted(bindings, ({ target }) => (target?.name ? [] : [required('target.name')]))
export const tokenReviewKind = posted(tokenReviews)
export const selfSubjectReviewKind = posted(selfSubjectReviews)
export const selfSubjectAccessReviewKind = posted(selfSubjectAccessReviews, ({ spec }) =>
  validateAttributes(spec ?? {}),
)
export const subjectAccessReviewKind = posted(subjectAccessReviews, ({ spec }) => validateSubject(spec ?? {}))
export const localSubjectAccessReviewKind = posted(localSubjectAccessReviews, ({ spec, metadata }) =>
  joinErrors(
    validateSubject(spec ?? {}),
    spec?.resourceAttributes?.namespace === metadata.namespace
      ? []
      : [
          invalidValue(
            'spec.resourceAttributes.namespace',
            spec?.resourceAttributes?.namespace ?? '',
            'must match metadata.namespace',
          ),
        ],
  ),
)
export const selfSubjectRulesReviewKind = posted(selfSubjectRulesReviews)
