// Routes that nobody will serve: told, because whoever serves them may come later.
import type { IngressClass } from '../../../api/generated/models.ts'
import { isDefaultClass } from '../../../api/ingress-classes.ts'
import { ingressClasses, ingresses } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Inability } from '../engine.ts'
import type { Place, Route } from '../parts.ts'
import { chosenClass } from './ingress-class.ts'
import { objectName } from './labels.ts'
import { ifPermitted } from './permitted.ts'

/** @param classes undefined: they are not to be known */
export async function routeInabilities(
  client: Client,
  { namespace }: Place,
  routes: readonly Route[],
  classes: readonly IngressClass[] | undefined,
): Promise<Inability[]> {
  if (classes === undefined || routes.length === 0) return []
  const soft = (which: readonly Route[], reason: string): Inability[] =>
    which.length === 0 ? [] : [{ hard: false, reason: `${addresses(which)} will lead nowhere: ${reason}` }]
  if (classes.length === 0)
    return soft(
      routes,
      'nothing in the cluster serves routes (there is no IngressClass); install an ingress controller',
    )
  const names = classes.map(({ metadata }) => metadata.name)
  const chosen = chosenClass(classes)
  const found = await Promise.all(
    routes.map(async route => {
      const name = objectName(route.name)
      const present = await ifPermitted(client.get(ingresses, { namespace, name }))
      return { route, className: chosen ?? present?.spec?.ingressClassName }
    }),
  )
  const absent = found.filter(({ className }) => className !== undefined && !names.includes(className))
  const open = classes.some(isDefaultClass) ? [] : found.filter(({ className }) => className === undefined)
  return [
    ...absent.flatMap(({ route, className }) =>
      soft([route], `its Ingress names the IngressClass "${className}", and there is ${names.join(', ')}`),
    ),
    ...soft(
      open.map(({ route }) => route),
      `there are several IngressClasses (${names.join(', ')}) and none of them is the default; mark one: kubectl annotate ingressclass NAME ingressclass.kubernetes.io/is-default-class=true`,
    ),
  ]
}

const addresses = (routes: readonly Route[]): string => routes.map(({ host, path }) => `${host}${path}`).join(', ')

/** @returns undefined when they are not to be known */
export const ingressClassesOf = async (client: Client): Promise<readonly IngressClass[] | undefined> =>
  (await ifPermitted(client.list(ingressClasses)))?.items
