// `sampan gateway routes` and `sampan gateway explain URL`: what leads where, and why something does not, as the objects of
// the cluster say it.
import { serviceKeys } from '../../api/endpoint-slice-labels.ts'
import { isNotFound } from '../../api/api-error.ts'
import { keyOf, type KubeObject } from '../../api/object.ts'
import type { Resource } from '../../api/resource.ts'
import { endpointSlices, services } from '../../api/resources.ts'
import type { Client } from '../../client/client.ts'
import { HttpClient } from '../../client/http-client.ts'
import { clusterAccess, kubeconfigPaths } from '../../client/kubeconfig.ts'
import { gatewayModel, type MadeModel } from '../../gateway/model/gateway-model.ts'
import { plainPath } from '../../gateway/model/plain-path.ts'
import { observed, routeResources, usualResources } from '../../gateway/observe.ts'
import { gateways } from '../../api/gateway-api/resources.ts'
import { explain, routeFacts, type RouteFacts } from '../../gateway/route-facts.ts'
import type { Clock } from '../../lib/clock.ts'
import { CommandFailure } from '../output.ts'
import { tableText } from '../table.ts'

export interface GatewayCommandOptions {
  readonly context?: string
  readonly output?: 'json'
  readonly clock: Clock
}

export async function gatewayRoutes(options: GatewayCommandOptions): Promise<void> {
  const made = await withClient(options, modelIn)
  const routes = routeFacts(made)
  const others = made.problems.filter(({ reason }) => !['BackendNotFound', 'AddressNotAssigned'].includes(reason))
  if (options.output === 'json') return console.log(JSON.stringify({ routes, problems: others }))
  console.log(
    routes.length === 0
      ? 'there are no routes of the gateway; a service gets one by "routes" in its app.yml, or by an Ingress'
      : tableText(['HOST', 'PATH', 'TYPE', 'LEADS TO', 'INSTANCES', 'OF', 'PROBLEM'], routes.map(rowOf)),
  )
  for (const { owner, message } of others) console.log(`${owner}: ${message}`)
}

const rowOf = ({ host, path, pathType, leadsTo, instances, owner, problem }: RouteFacts): string[] => [
  host,
  path,
  pathType,
  leadsTo.join(', '),
  String(instances),
  owner,
  problem ?? '',
]

export interface ExplainOptions extends GatewayCommandOptions {
  readonly method: string
}

/** Ends with 1 when nothing takes the request. */
export async function explainUrl(text: string, options: ExplainOptions): Promise<void> {
  const url = urlOf(text)
  const made = await withClient(options, modelIn)
  const path = plainPath(url.pathname)
  const found = explain(made, {
    host: url.hostname,
    path,
    method: options.method,
    headers: {},
    query: Object.fromEntries(url.searchParams),
  })
  if (options.output === 'json') {
    console.log(JSON.stringify({ host: url.hostname, path, ...(found !== undefined && { rule: found }) }))
    if (found === undefined) process.exitCode = 1
    return
  }
  if (found === undefined)
    throw new CommandFailure(
      `nothing takes ${options.method} ${url.hostname}${path}, so the gateway answers 404; what there is: sampan gateway routes`,
    )
  const { owner, host, leadsTo, instances, problem } = found
  console.log(
    `${options.method} ${url.hostname}${path} is taken by ${owner} (host ${host}, ${found.pathType} ${found.path})`,
  )
  console.log(`it leads to ${leadsTo.join(', ')}, ${instances} ${instances === 1 ? 'instance' : 'instances'}`)
  if (problem !== undefined) console.log(`it does not work: ${problem}`)
}

function urlOf(text: string): URL {
  const whole = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(whole))
    throw new CommandFailure(`expected a URL such as http://shop.localhost/orders, found "${text}"`)
  return new URL(whole)
}

async function withClient<T>(
  { context, clock }: GatewayCommandOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const access = clusterAccess(kubeconfigPaths(process.env), context)
  const client = new HttpClient({ access, userAgent: 'sampan', clock })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

async function modelIn(client: Client): Promise<MadeModel> {
  // How services are spoken to says nothing of where requests go.
  const resources = [...usualResources, ...routeResources].filter(({ kind }) => kind !== 'BackendTLSPolicy')
  const lists = new Map(
    await Promise.all(resources.map(async resource => [resource, await listed(client, resource)] as const)),
  )
  const all = <T extends KubeObject>(resource: Resource<T>): readonly T[] =>
    (lists.get(resource as Resource) ?? []) as readonly T[]
  const byName = new Map(all(services).map(service => [keyOf(service), service]))
  const byService = Map.groupBy(all(endpointSlices), slice => serviceKeys(slice)[0])
  // Where Gateways are is what their statuses say.
  const told = all(gateways).flatMap(({ status }) => status?.addresses?.map(({ value }) => value) ?? [])
  const found = observed(
    {
      all,
      service: (namespace, name) => byName.get(`${namespace}/${name}`),
      slices: (namespace, name) => byService.get(`${namespace}/${name}`) ?? [],
      // Secrets are nothing to read for whoever asks where requests go.
      configuration: () => undefined,
      secret: () => undefined,
      certificate: (namespace, name) => ({
        certificate: { id: `${namespace}.${name}`, pem: '' },
        names: ['*'],
        expiresAtMs: Infinity,
      }),
    },
    { addresses: new Set(told), taken: new Set() },
  )
  const front = '127.0.0.1'
  return gatewayModel(found, { address: front, port: 80, ownAddresses: told.filter(address => address !== front) })
}

/** Nothing where the cluster has no such kind. */
async function listed(client: Client, resource: Resource): Promise<readonly KubeObject[]> {
  try {
    return (await client.list(resource)).items
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}
