// Routes that are there as the other kind of object are taken away when they are served anew, which is a right of its own.
import { httpRoutes } from '../../../api/gateway-api/resources.ts'
import type { KubeObject } from '../../../api/object.ts'
import type { Resource } from '../../../api/resource.ts'
import { ingresses } from '../../../api/resources.ts'
import type { Client } from '../../../client/client.ts'
import type { Part, Place } from '../parts.ts'
import { isOwn } from './foreign-objects.ts'
import { objectName } from './labels.ts'
import { ifPermitted } from './permitted.ts'
import { right, type Right } from './rights.ts'
import type { RouteStyle } from './route-style.ts'

export async function rightsToMove(
  client: Client,
  { namespace }: Place,
  parts: readonly Part[],
  style: RouteStyle['kind'],
): Promise<readonly Right[]> {
  const other = (style === 'gateway' ? ingresses : httpRoutes) as unknown as Resource
  const found = await Promise.all(
    parts
      .filter(part => part.kind === 'route')
      .map(async ({ name, service }) => {
        const object: KubeObject | undefined = await ifPermitted(
          client.get(other, { namespace, name: objectName(name) }),
        )
        return object !== undefined && isOwn(object, service)
      }),
  )
  return found.includes(true) ? [right(other, ['delete'])] : []
}
