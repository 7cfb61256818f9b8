// Bootstrap tokens, with which machines without a certificate ask for one: Secrets of kube-system. Pure.
// Source: staging/src/k8s.io/cluster-bootstrap.
import { decodeBase64Text } from './base64.ts'
import type { Secret } from './generated/models.ts'

export const bootstrapTokenType = 'bootstrap.kubernetes.io/token'
export const bootstrapTokenNamespace = 'kube-system'
export const bootstrapTokenPrefix = 'bootstrap-token-'

/** '' when the secret does not have the key. */
export const bootstrapTokenValue = (secret: Secret, key: string): string => decodeBase64Text(secret.data?.[key] ?? '')

/** When it ends; Infinity: never; an expiration that cannot be read is over. */
export function bootstrapTokenEndMs(secret: Secret): number {
  const text = bootstrapTokenValue(secret, 'expiration')
  if (text === '') return Infinity
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) || 0 : 0
}

export const isBootstrapToken = ({ type, metadata }: Secret): boolean =>
  type === bootstrapTokenType && metadata.namespace === bootstrapTokenNamespace
