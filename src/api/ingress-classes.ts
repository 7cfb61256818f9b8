// Which class Ingresses get that name none.
import type { IngressClass } from './generated/models.ts'

export const defaultClassMark = 'ingressclass.kubernetes.io/is-default-class'

export const isDefaultClass = ({ metadata }: IngressClass): boolean =>
  metadata.annotations?.[defaultClassMark] === 'true'
