// Which of the programs that serve routes takes ours: the cluster's default one, or the only one there is.
import type { IngressClass } from '../../../api/generated/models.ts'
import { ingressClasses } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import { itemsIfPermitted } from './permitted.ts'

const defaultMark = 'ingressclass.kubernetes.io/is-default-class'

/** undefined: the cluster decides. */
export async function ingressClassFor(client: Client): Promise<string | undefined> {
  const classes = await itemsIfPermitted<IngressClass>(client.list(ingressClasses))
  const isDefault = ({ metadata }: IngressClass): boolean => metadata.annotations?.[defaultMark] === 'true'
  return classes.length === 1 && !classes.some(isDefault) ? classes[0]!.metadata.name : undefined
}
