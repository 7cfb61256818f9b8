// Asks a definition's webhook to convert objects between versions.
import { internalError } from '../../api/api-error.ts'
import {
  ConversionFault,
  conversionReview,
  convertedObjects,
  reviewVersions,
} from '../../api/custom-resources/conversion-review.ts'
import type { CustomResourceDefinition } from '../../api/generated/models.ts'
import type { StorageForm } from '../../api/kind.ts'
import { apiVersionOf } from '../../api/resource.ts'
import { errorText } from '../../lib/error-text.ts'
import type { ServerContext } from '../server-context.ts'

type Convert = NonNullable<StorageForm['convert']>

const timeoutMs = 30_000

/** undefined: the versions differ in nothing but their name. */
export function converterOf(
  { spec }: CustomResourceDefinition,
  { webhooks, random }: Pick<ServerContext, 'webhooks' | 'random'>,
): Convert | undefined {
  const { strategy, webhook } = spec.conversion ?? {}
  const clientConfig = webhook?.clientConfig
  if (strategy !== 'Webhook' || clientConfig === undefined) return undefined
  const version =
    webhook?.conversionReviewVersions?.find(name => (reviewVersions as readonly string[]).includes(name)) ?? 'v1'
  return async (objects, to) => {
    const uid = random.uuid()
    const desired = apiVersionOf(to)
    try {
      return convertedObjects(
        await webhooks.call(clientConfig, conversionReview(version, uid, desired, objects), { timeoutMs }),
        uid,
        desired,
        objects,
      )
    } catch (error) {
      const from = objects[0]
      const separator = error instanceof ConversionFault && error.message.startsWith('returned ') ? ' ' : ' failed: '
      throw internalError(`conversion webhook for ${from?.apiVersion}, Kind=${to.kind}${separator}${errorText(error)}`)
    }
  }
}
