// What is asked of those who say who somebody is: claims, and a certificate. Pure.
import type { AuthorityReference } from '../../../api/gateway-api/policies.ts'
import { authorityOf } from '../authority-of.ts'
import type { Finding } from '../findings.ts'
import type { AskedClaim } from '../policing.ts'
import type { PolicyInputs } from './policy-inputs.ts'

export const askedClaims = (claims: Readonly<Record<string, readonly string[]>> = {}): readonly AskedClaim[] =>
  Object.entries(claims).map(([name, values]) => ({ name, values }))

/** Nothing: the authorities of the machine. */
export const vouchedBy = (
  reference: AuthorityReference | undefined,
  namespace: string,
  inputs: Pick<PolicyInputs, 'authority'>,
): { readonly pem?: string; readonly finding?: Finding } =>
  reference === undefined ? {} : authorityOf(namespace, { group: '', kind: 'ConfigMap', name: reference.name }, inputs)
