// CertificateSigningRequest: somebody asks for a certificate, somebody approves, a signer answers.
import { decodeBase64Text } from '../base64.ts'
import type { FieldError } from '../field-error.ts'
import { invalidValue, joinErrors, notSupported, required } from '../field-error.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition as Condition } from '../generated/models.ts'
import { defineKind } from '../kind.ts'
import { certificateSigningRequests } from '../resources.ts'
import { each, partOf, sameJson, validateImmutable } from '../validation/scalars.ts'
import { age, columns, humanDuration, none } from './cells.ts'
import { keepStatus } from './strategy.ts'

const usages = new Set([
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
])
const decisions = ['Approved', 'Denied']
const shortestSeconds = 600

const decided = (conditions: readonly Condition[] | undefined): Condition[] =>
  (conditions ?? []).filter(condition => decisions.includes(condition.type))

export const certificateSigningRequestKind = defineKind({
  resource: certificateSigningRequests,
  model: 'V1CertificateSigningRequest',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  nameRule: 'path-segment',
  defaults(draft) {
    draft.status ??= {}
    for (const condition of draft.status.conditions ?? []) condition.status ||= 'True'
  },
  prepareForCreate(draft) {
    draft.status = {}
  },
  prepareForUpdate: keepStatus,
  subresources: {
    /** The signer's: the certificate and its own conditions, not the decision. */
    status: {
      prepare(draft, old) {
        draft.spec = old.spec
        draft.status ??= {}
        const own = (draft.status.conditions ?? []).filter(condition => !decisions.includes(condition.type))
        const all = [...decided(old.status?.conditions), ...own]
        if (all.length > 0) draft.status.conditions = all
        else delete draft.status.conditions
      },
      validate: (request, old) =>
        joinErrors(
          validateConditions(request),
          old.status?.certificate
            ? validateImmutable(request.status?.certificate, old.status.certificate, 'status.certificate')
            : [],
        ),
    },
    /** The approver's: the decision alone. */
    approval: {
      prepare(draft, old) {
        draft.spec = old.spec
        draft.status = {
          ...old.status,
          ...(draft.status?.conditions !== undefined && { conditions: draft.status.conditions }),
        }
      },
      validate: (request, old) => joinErrors(validateConditions(request), validateDecisionKept(request, old)),
    },
  },
  validate,
  validateUpdate: (request, old) => validateImmutable(request.spec, old.spec, 'spec'),
  columns: columns('Name', 'Age', 'SignerName', 'Requestor', 'RequestedDuration', 'Condition'),
  row: (request, nowMs) => [
    request.metadata.name,
    age(request, nowMs),
    request.spec?.signerName ?? none,
    request.spec?.username ?? '',
    request.spec?.expirationSeconds === undefined ? none : humanDuration(request.spec.expirationSeconds * 1000),
    conditionCell(request),
  ],
  selectableFields: {
    'spec.signerName': ({ spec }) => spec?.signerName ?? '',
  },
})

function conditionCell({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map(condition => condition.type))
  const parts = [
    types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : '',
    types.has('Failed') ? 'Failed' : '',
    status?.certificate ? 'Issued' : '',
  ]
  return parts.filter(part => part !== '').join(',') || 'Pending'
}

function validate({ spec }: CertificateSigningRequest): FieldError[] {
  const { request = '', signerName = '', usages: wanted = [], expirationSeconds } = partOf(spec)
  return joinErrors(
    validatePem(request),
    wanted.length === 0
      ? [required('spec.usages')]
      : each(wanted, 'spec.usages', (usage, path) =>
          usages.has(usage) ? [] : [notSupported(path, usage, [...usages])],
        ),
    validateSigner(signerName),
    expirationSeconds !== undefined && expirationSeconds < shortestSeconds
      ? [
          invalidValue(
            'spec.expirationSeconds',
            expirationSeconds,
            'may not specify a duration less than 600 seconds (10 minutes)',
          ),
        ]
      : [],
  )
}

/** Enough to see what it is. */
const readCharacters = 4096

/** Whether base64 text holds a PEM request; the signature is the signer's matter. */
function validatePem(request: string): FieldError[] {
  const marker = '-----BEGIN CERTIFICATE REQUEST-----'
  return decodeBase64Text(request, readCharacters).includes(marker)
    ? []
    : [invalidValue('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST')]
}

function validateSigner(name: string): FieldError[] {
  const field = 'spec.signerName'
  if (name === '') return [required(field)]
  const parts = name.split('/')
  if (parts.length < 2)
    return [
      invalidValue(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
    ]
  return parts[0]!.includes('.')
    ? []
    : [invalidValue(field, parts[0], 'should be a domain with at least two segments separated by dots')]
}

function validateConditions({ status }: CertificateSigningRequest): FieldError[] {
  const conditions = status?.conditions
  const both = decisions.every(type => conditions?.some(condition => condition.type === type))
  return joinErrors(
    each(conditions, 'status.conditions', (condition, path) =>
      joinErrors(
        condition.type ? [] : [required(`${path}.type`)],
        ['Approved', 'Denied', 'Failed'].includes(condition.type) && condition.status !== 'True'
          ? [notSupported(`${path}.status`, condition.status, ['True'])]
          : [],
      ),
    ),
    both ? [invalidValue('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive')] : [],
  )
}

function validateDecisionKept(
  { status }: CertificateSigningRequest,
  { status: old }: CertificateSigningRequest,
): FieldError[] {
  const now = decided(status?.conditions)
  return decided(old?.conditions)
    .filter(
      before =>
        !now.some(after =>
          sameJson(
            { ...after, lastUpdateTime: '', lastTransitionTime: '' },
            { ...before, lastUpdateTime: '', lastTransitionTime: '' },
          ),
        ),
    )
    .map(before =>
      invalidValue(
        'status.conditions',
        before.type,
        `updates may not remove a condition of type ${JSON.stringify(before.type)}`,
      ),
    )
}
