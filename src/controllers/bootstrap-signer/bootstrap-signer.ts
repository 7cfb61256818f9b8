// Signs the ConfigMap `cluster-info` of kube-public with every bootstrap token that is for signing, so that
// who holds a token can trust what anybody can read. Source: pkg/controller/bootstrap/bootstrapsigner.go.
import { createHmac } from 'node:crypto'
import {
  bootstrapTokenEndMs,
  bootstrapTokenPrefix,
  bootstrapTokenValue,
  isBootstrapToken,
} from '../../api/bootstrap-token.ts'
import type { ConfigMap, Secret } from '../../api/generated/models.ts'
import { configMaps, secrets } from '../../api/resources.ts'
import { sameJson } from '../../api/validation/scalars.ts'
import { defineController, watch } from '../../control/controller.ts'

const target = { namespace: 'kube-public', name: 'cluster-info' }
const signaturePrefix = 'jws-kubeconfig-'
const key = `${target.namespace}/${target.name}`

export const bootstrapSigner = defineController({
  name: 'bootstrap-signer',
  watches: [
    watch({
      resource: configMaps,
      keysOf: ({ metadata }) => (metadata.name === target.name && metadata.namespace === target.namespace ? [key] : []),
    }),
    watch({ resource: secrets, keysOf: secret => (isBootstrapToken(secret) ? [key] : []) }),
  ],
  reconciler:
    ({ client, clock }) =>
    async () => {
      const current = client.informer(configMaps).get(target)
      if (current?.data?.['kubeconfig'] === undefined) return 'done'
      const data = signed(
        current,
        client
          .informer(secrets)
          .list('kube-system')
          .filter(secret => isForSigning(secret, clock.now())),
      )
      if (!sameJson(current.data, data)) await client.update(configMaps, { ...current, data })
      return 'done'
    },
})

export function signed({ data = {} }: ConfigMap, tokens: readonly Secret[]): Record<string, string> {
  const unsigned = Object.fromEntries(Object.entries(data).filter(([name]) => !name.startsWith(signaturePrefix)))
  const signatures = tokens.map(token => {
    const id = bootstrapTokenValue(token, 'token-id')
    return [
      `${signaturePrefix}${id}`,
      detachedSignature(data['kubeconfig'] ?? '', id, bootstrapTokenValue(token, 'token-secret')),
    ] as const
  })
  return { ...unsigned, ...Object.fromEntries(signatures) }
}

function isForSigning(secret: Secret, nowMs: number): boolean {
  const id = bootstrapTokenValue(secret, 'token-id')
  return (
    isBootstrapToken(secret) &&
    secret.metadata.deletionTimestamp === undefined &&
    secret.metadata.name === `${bootstrapTokenPrefix}${id}` &&
    bootstrapTokenValue(secret, 'token-secret') !== '' &&
    bootstrapTokenValue(secret, 'usage-bootstrap-signing') === 'true' &&
    bootstrapTokenEndMs(secret) > nowMs
  )
}

/** A JSON Web Signature (HS256) without its payload, which is the text itself. */
function detachedSignature(text: string, id: string, secret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url')
  const payload = Buffer.from(text).toString('base64url')
  return `${header}..${createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url')}`
}
