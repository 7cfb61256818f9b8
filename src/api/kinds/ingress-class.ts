// IngressClass: which controller serves an Ingress.
import type { FieldError } from '../field-error.ts'
import { forbiddenField, invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { IngressClass, IngressClassParametersReference } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { ingressClasses } from '../resources.ts'
import { checkQualifiedName } from '../validation/formats.ts'
import { collect, requireText, validateImmutable } from '../validation/scalars.ts'
import { age, columns, none } from './cells.ts'

export const ingressClassKind = defineKind({
  resource: ingressClasses,
  model: 'V1IngressClass',
  singular: 'ingressclass',
  generation: true,
  defaults(draft) {
    draft.spec ??= {}
    if (draft.spec.parameters !== undefined) draft.spec.parameters.scope ??= 'Cluster'
  },
  validate,
  validateUpdate: (one, old) => validateImmutable(one.spec?.controller, old.spec?.controller, 'spec.controller'),
  columns: columns('Name', 'Controller', 'Parameters', 'Age'),
  row: (one, nowMs) => [
    one.metadata.name,
    one.spec?.controller ?? '',
    parametersCell(one.spec?.parameters),
    age(one, nowMs),
  ],
})

function parametersCell(parameters: IngressClassParametersReference | undefined): string {
  if (parameters === undefined) return none
  const { kind, apiGroup, name } = parameters
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`
}

function validate({ spec }: IngressClass): FieldError[] {
  const { controller = '', parameters } = spec
  const field = 'spec.controller'
  return joinErrors(
    controller.length > 250
      ? [invalidValue(field, controller, 'must be no more than 250 bytes')]
      : controller === ''
        ? [required(field)]
        : controller.includes('/')
          ? collect(checkQualifiedName, field, controller)
          : [invalidValue(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')],
    parameters === undefined ? [] : validateParameters(parameters, 'spec.parameters'),
  )
}

function validateParameters(
  { kind, name, scope = '', namespace }: IngressClassParametersReference,
  field: string,
): FieldError[] {
  return joinErrors(
    requireText(kind, `${field}.kind`),
    requireText(name, `${field}.name`),
    scope === 'Cluster' || scope === 'Namespace'
      ? []
      : scope === ''
        ? [required(`${field}.scope`)]
        : [notSupported(`${field}.scope`, scope, ['Cluster', 'Namespace'])],
    scope === 'Namespace' && !namespace
      ? [required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'")]
      : [],
    scope === 'Cluster' && namespace !== undefined
      ? [forbiddenField(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'")]
      : [],
  )
}
