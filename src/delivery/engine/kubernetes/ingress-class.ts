// Which of the programs that serve routes takes ours: the cluster's default one, or the only one there is. Pure.
import type { IngressClass } from '../../../api/generated/models.ts'
import { isDefaultClass } from '../../../api/ingress-classes.ts'

/** undefined: the cluster decides. */
export const chosenClass = (classes: readonly IngressClass[]): string | undefined =>
  classes.length === 1 && !classes.some(isDefaultClass) ? classes[0]!.metadata.name : undefined
