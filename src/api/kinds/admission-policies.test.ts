import { describe, expect, it } from 'vitest'
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../generated/models.ts'
import type { FieldError } from '../field-error.ts'
import { mutatingAdmissionPolicyBindingKind } from './mutating-admission-policy-binding.ts'
import { mutatingAdmissionPolicyKind } from './mutating-admission-policy.ts'
import { validatingAdmissionPolicyBindingKind } from './validating-admission-policy-binding.ts'
import { validatingAdmissionPolicyKind } from './validating-admission-policy.ts'

const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
const texts = (errors: readonly FieldError[]): string[] => errors.map(({ field, message }) => `${field}: ${message}`)

function validating(spec: object): string[] {
  const policy = {
    metadata: { name: 'p' },
    spec: {
      matchConstraints: { resourceRules: [structuredClone(rule)] },
      validations: [{ expression: 'true' }],
      ...spec,
    },
  } as unknown as ValidatingAdmissionPolicy
  validatingAdmissionPolicyKind.defaults!(policy)
  return texts(validatingAdmissionPolicyKind.validate!(policy))
}

function mutating(spec: object): string[] {
  const policy = {
    metadata: { name: 'p' },
    spec: {
      matchConstraints: { resourceRules: [structuredClone(rule)] },
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
      ...spec,
    },
  } as unknown as MutatingAdmissionPolicy
  mutatingAdmissionPolicyKind.defaults!(policy)
  return texts(mutatingAdmissionPolicyKind.validate!(policy))
}

describe('both kinds of policies', () => {
  it('are filled in and shown alike', () => {
    const spec = {
      matchConstraints: { resourceRules: [{ ...rule }] },
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    }
    for (const kind of [validatingAdmissionPolicyKind, mutatingAdmissionPolicyKind]) {
      const policy = { metadata: { name: 'p', creationTimestamp: '2026-01-01T00:00:00Z' }, spec: structuredClone(spec) }
      ;(kind.defaults as (draft: object) => void)(policy)
      expect(policy.spec).toEqual({
        ...spec,
        failurePolicy: 'Fail',
        matchConstraints: {
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          objectSelector: {},
          resourceRules: [{ ...rule, scope: '*' }],
        },
      })
      expect(
        (kind.row as (object: object, nowMs: number) => unknown[])(policy, Date.parse('2026-01-01T00:01:00Z')),
      ).toEqual(['p', 0, 'v1/ConfigMap', '60s'])
    }
    expect([validating({}), mutating({})]).toEqual([[], []])
  })

  it.each<[object, string]>([
    [{ failurePolicy: 'Odd' }, 'spec.failurePolicy: Unsupported value: "Odd": supported values: "Fail", "Ignore"'],
    [{ matchConstraints: undefined }, 'spec.matchConstraints: Required value'],
    [{ matchConstraints: {} }, 'spec.matchConstraints.resourceRules: Required value'],
    [
      { matchConstraints: { matchPolicy: 'Odd', resourceRules: [rule] } },
      'spec.matchConstraints.matchPolicy: Unsupported value: "Odd": supported values: "Equivalent", "Exact"',
    ],
    [
      { matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a', 'a/b', 'a'] }] } },
      'spec.matchConstraints.resourceRules[0].resourceNames[1]: Invalid value: "a/b": may not contain \'/\'',
    ],
    [
      { matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a', 'a'] }] } },
      'spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"',
    ],
    [
      { matchConstraints: { resourceRules: [{ ...rule, resources: ['pods/*', 'pods/log'] }] } },
      'spec.matchConstraints.resourceRules[0].resources[1]: Invalid value: "pods/log": if \'pods/*\' is present, must not specify pods/log',
    ],
    [
      { matchConstraints: { resourceRules: [{ ...rule, resources: ['*', 'pods'] }] } },
      'spec.matchConstraints.resourceRules[0].resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
    ],
    [
      { matchConstraints: { resourceRules: [{ ...rule, resources: ['*/*', 'pods'] }] } },
      'spec.matchConstraints.resourceRules[0].resources: Invalid value: ["*/*","pods"]: if \'*/*\' is present, must not specify other resources',
    ],
    [
      { paramKind: { apiVersion: 'a/b/c', kind: 'X' } },
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
    ],
    [
      { paramKind: { apiVersion: 'a/', kind: 'X' } },
      'spec.paramKind.apiVersion: Invalid value: "a/": version must be specified',
    ],
    [{ paramKind: { apiVersion: 'v1' } }, 'spec.paramKind.kind: Required value'],
  ])('are refused for %j', (spec, message) => {
    expect(validating(spec)).toContain(message)
    expect(mutating(spec)).toContain(message)
  })

  it('names of parameters are names', () => {
    const found = validating({ paramKind: { apiVersion: 'A_/1', kind: 'a b' } })
    expect(found[0]).toMatch(/^spec\.paramKind\.apiVersion: Invalid value: "A_": a lowercase RFC 1123 subdomain/)
    expect(found[1]).toMatch(/^spec\.paramKind\.apiVersion: Invalid value: "1": a DNS-1035 label/)
    expect(found[2]).toMatch(
      /^spec\.paramKind\.kind: Invalid value: "a b": may have mixed case, but should otherwise match: /,
    )
  })
})

describe('a mutating policy', () => {
  const both = { jsonPatch: { expression: '[]' }, applyConfiguration: { expression: 'Object{}' } }

  it.each<[object, string]>([
    [
      { matchConstraints: { resourceRules: [{ ...rule, operations: ['CREATE', 'DELETE'] }] } },
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ],
    [{ mutations: [] }, 'spec.mutations: Required value: mutations must contain at least one item'],
    [{ mutations: [{}] }, 'spec.mutations[0].patchType: Required value'],
    [
      { mutations: [{ patchType: 'Odd' }] },
      'spec.mutations[0].patchType: Unsupported value: "Odd": supported values: "ApplyConfiguration", "JSONPatch"',
    ],
    [
      { mutations: [{ patchType: 'JSONPatch' }] },
      'spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch',
    ],
    [
      { mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: ' ' } }] },
      'spec.mutations[0].applyConfiguration.expression: Required value',
    ],
    [
      { mutations: [{ patchType: 'ApplyConfiguration', ...both }] },
      'spec.mutations[0].jsonPatch: Invalid value: "{jsonPatch}": must not be specified when patchType is ApplyConfiguration',
    ],
    [{ reinvocationPolicy: '' }, 'spec.reinvocationPolicy: Required value'],
  ])('is refused for %j', (spec, message) => {
    expect(mutating(spec)).toContain(message)
  })
})

describe('bindings', () => {
  const kinds = [validatingAdmissionPolicyBindingKind, mutatingAdmissionPolicyBindingKind]
  const found = (kind: (typeof kinds)[number], spec: object): string[] => {
    const binding = {
      metadata: { name: 'b' },
      spec: {
        policyName: 'p',
        ...(kind === validatingAdmissionPolicyBindingKind && { validationActions: ['Deny'] }),
        ...spec,
      },
    } as unknown as ValidatingAdmissionPolicyBinding & MutatingAdmissionPolicyBinding
    kind.defaults!(binding)
    return texts(kind.validate!(binding))
  }

  it.each<[object, string]>([
    [{ policyName: '' }, 'spec.policyName: Required value'],
    [
      { paramRef: { name: 'a', selector: {}, parameterNotFoundAction: 'Deny' } },
      'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
    ],
    [
      { paramRef: { name: 'a', selector: {}, parameterNotFoundAction: 'Deny' } },
      'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
    ],
    [
      { paramRef: { parameterNotFoundAction: 'Deny' } },
      'spec.paramRef: Required value: one of name or selector must be specified',
    ],
    [{ paramRef: { name: 'a' } }, 'spec.paramRef.parameterNotFoundAction: Required value'],
  ])('of both kinds are refused for %j', (spec, message) => {
    for (const kind of kinds) expect(found(kind, spec)).toContain(message)
  })

  it('of validating policies say what happens, each thing once', () => {
    const binding = (validationActions: string[]): string[] =>
      found(validatingAdmissionPolicyBindingKind, { validationActions })
    expect(binding([])).toEqual(['spec.validationActions: Required value: at least one validation action is required'])
    expect(binding(['Deny', 'Deny', 'Odd'])).toEqual([
      'spec.validationActions[1]: Duplicate value: "Deny"',
      'spec.validationActions[2]: Unsupported value: "Odd": supported values: "Audit", "Deny", "Warn"',
    ])
  })

  it('of mutating policies are not about deletions', () => {
    expect(
      found(mutatingAdmissionPolicyBindingKind, {
        matchResources: { resourceRules: [{ ...rule, operations: ['DELETE'] }] },
      }),
    ).toEqual([
      'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ])
  })
})
