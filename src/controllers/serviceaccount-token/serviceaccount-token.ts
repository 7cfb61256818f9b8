// Fills Secrets of type kubernetes.io/service-account-token with a token of the account they name, and
// deletes them when that account is gone. Source: pkg/controller/serviceaccount/tokens_controller.go.
import type { Secret, ServiceAccount } from '../../api/generated/models.ts'
import { accountNameAnnotation, accountUidAnnotation, isLegacyToken } from '../../api/legacy-token.ts'
import { keyOf } from '../../api/object.ts'
import { secrets, serviceAccounts } from '../../api/resources.ts'
import { defineController, watch, type ControllerDefinition } from '../../control/controller.ts'
import { removeObject } from '../../control/removal.ts'

/** Signs a token for the account, good as long as the Secret of that name holds it. */
export type IssueLegacyToken = (facts: {
  namespace: string
  account: { name: string; uid: string }
  secretName: string
}) => Promise<string>

const accountOf = ({ metadata }: Secret): string => metadata.annotations?.[accountNameAnnotation] ?? ''

export function serviceAccountTokenController(rootCaPem: string, issue: IssueLegacyToken): ControllerDefinition {
  return defineController({
    name: 'serviceaccount-token',
    watches: [
      watch({ resource: secrets, keysOf: secret => (isLegacyToken(secret) ? [keyOf(secret)] : []) }),
      watch({
        resource: serviceAccounts,
        matters: () => false,
        keysOf: ({ metadata }, client) =>
          client
            .informer(secrets)
            .list(metadata.namespace)
            .filter(secret => isLegacyToken(secret) && accountOf(secret) === metadata.name)
            .map(keyOf),
      }),
    ],
    reconciler:
      ({ client }) =>
      async key => {
        const [namespace = '', name = ''] = key.split('/')
        const secret = client.informer(secrets).get({ namespace, name })
        if (secret === undefined || !isLegacyToken(secret) || secret.metadata.deletionTimestamp !== undefined)
          return 'done'
        const account = client.informer(serviceAccounts).get({ namespace, name: accountOf(secret) })
        if (account === undefined || isOfAnother(secret, account)) {
          await removeObject(client, secrets, secret)
          return 'done'
        }
        const content = {
          'ca.crt': Buffer.from(rootCaPem).toString('base64'),
          namespace: Buffer.from(namespace).toString('base64'),
        }
        if (isFilled(secret, content)) return 'done'
        const token =
          secret.data?.['token'] ??
          Buffer.from(
            await issue({
              namespace,
              account: { name: account.metadata.name, uid: account.metadata.uid },
              secretName: name,
            }),
          ).toString('base64')
        const annotations = { ...secret.metadata.annotations, [accountUidAnnotation]: account.metadata.uid }
        await client.update(secrets, {
          ...secret,
          metadata: { ...secret.metadata, annotations },
          data: { ...secret.data, ...content, token },
        })
        return 'done'
      },
  })
}

function isOfAnother({ metadata }: Secret, account: ServiceAccount): boolean {
  const uid = metadata.annotations?.[accountUidAnnotation]
  return uid !== undefined && uid !== account.metadata.uid
}

function isFilled({ data = {}, metadata }: Secret, content: Readonly<Record<string, string>>): boolean {
  return (
    data['token'] !== undefined &&
    metadata.annotations?.[accountUidAnnotation] !== undefined &&
    Object.entries(content).every(([key, value]) => data[key] === value)
  )
}
