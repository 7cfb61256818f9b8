// Which of the programs that serve routes takes ours: the cluster's default one, or the only one there is. Pure.
import { gatewayClassName, gatewayController } from '../../../api/gateway-names.ts'
import type { IngressClass } from '../../../api/generated/models.ts'
import { isDefaultClass } from '../../../api/ingress-classes.ts'

/** undefined: the cluster decides. */
export const chosenClass = (classes: readonly IngressClass[]): string | undefined =>
  classes.length === 1 && !classes.some(isDefaultClass) ? classes[0]!.metadata.name : undefined

/** Whether Sampan's own gateway serves Ingresses of it. @param classes undefined: they are not to be known */
export function isOfSampan(className: string | undefined, classes: readonly IngressClass[] | undefined): boolean {
  if (classes === undefined) return className === gatewayClassName
  return classes.find(({ metadata }) => metadata.name === className)?.spec?.controller === gatewayController
}
