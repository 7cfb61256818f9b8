// Applications of Marathon with the labels of marathon-lb, as objects of the gateway: each port of an application is a
// service of it, with labels of its own (`HAPROXY_0_VHOST`). Pure.
// Source: marathon-lb, labels and templates; HAProxy tries `use_backend` in the order of the file, which is by weight, then
// by the name of the application, then by its port.
import type { HTTPRouteFilter } from '../../api/gateway-api/types.ts'
import { addressType, isOfMachine, serviceOf } from './addresses.ts'
import { connectionObjects, type Connection } from './connections.ts'
import type { ImportContext } from './context.ts'
import type { Effect } from './effect.ts'
import { fieldsOf, type Fields } from './fields.ts'
import { balancingPolicies, keepsClients, type BalancedServices } from './balancing.ts'
import { instancesOf, marathonApps, otherFieldsOf, portsOf, tasksOf } from './marathon-apps.ts'
import {
  balanceIn,
  deploymentLabels,
  guardsOf,
  hostsIn,
  isKnownLabel,
  isTrue,
  pathsOf,
  proxied,
  tellWhatHasNoEqual,
  templateWords,
} from './marathon-labels.ts'
import { plainName } from './names.ts'
import { policiesFor } from './policies.ts'
import { routed, tellDifferences } from './routed.ts'
import type { SourceBackend, SourceRoute } from './source-route.ts'

interface Served {
  readonly route?: SourceRoute
  readonly connection?: Connection
  readonly effects: readonly Effect[]
  readonly balanced?: BalancedServices
  readonly objects: readonly object[]
}

const hsts: HTTPRouteFilter = {
  type: 'ResponseHeaderModifier',
  responseHeaderModifier: { set: [{ name: 'Strict-Transport-Security', value: 'max-age=15768000' }] },
}

export function importMarathon(source: unknown, context: ImportContext): readonly object[] {
  const { report } = context
  const apps = marathonApps(source, report).toSorted((left, right) => (idOf(left) < idOf(right) ? -1 : 1))
  const groups = Map.groupBy(apps, app => app.object('labels')?.text('HAPROXY_DEPLOYMENT_GROUP') ?? idOf(app))
  const served = [...groups.values()].flatMap((colours, index) => servedBy(colours, index, context))
  const routes = served.flatMap(({ route }) => route ?? [])
  const http = routed(routes, context)
  tellDifferences(routes, { http }, context)
  const policed = served.flatMap(({ route, effects }) =>
    route === undefined
      ? []
      : [
          {
            at: route.at,
            effects,
            targets: http
              .filter(made => made.source === route && !made.isRedirect)
              .map(({ object }) => ({ kind: 'HTTPRoute' as const, name: object.metadata.name })),
          },
        ],
  )
  return [
    ...served.flatMap(({ objects }) => objects),
    ...http.map(({ object }) => object),
    ...connectionObjects(
      served.flatMap(({ connection }) => connection ?? []),
      context,
    ),
    ...policiesFor(policed, new Map(), context),
    ...balancingPolicies(
      served.flatMap(({ balanced }) => balanced ?? []),
      context,
    ),
  ]
}

const idOf = (app: Fields): string => app.text('id') ?? app.at

/** Applications of one deployment group are two versions of one, between which a deployment moves instances. */
function servedBy(colours: readonly Fields[], index: number, context: ImportContext): readonly Served[] {
  const { report } = context
  const [first] = colours
  const app = first!
  const labels = app.object('labels') ?? fieldsOf({}, app.place('labels'), report)
  const isPair = colours.length > 1
  for (const colour of colours.slice(1)) deploymentLabels(colour.object('labels')!)
  const known = deploymentLabels(labels)
  const name = plainName(known.group ?? idOf(app))
  if (isPair)
    report.changed(
      labels.place('HAPROXY_DEPLOYMENT_GROUP'),
      `${colours.map(idOf).join(' and ')} are served together, by how many instances each has; sampan deploy has such releases as strategy: blue-green`,
    )
  const ports = portsOf(app)
  const appGroup = labels.text('HAPROXY_GROUP')
  const backendsAt = (
    number: number,
  ): readonly { readonly backend: SourceBackend; readonly objects: readonly object[] }[] =>
    colours.map(colour => backendOf(colour, number, isPair, context))
  const served = ports.flatMap((port, number): Served[] => {
    const label = (key: string): string | undefined => labels.text(`HAPROXY_${number}_${key}`)
    const group = label('GROUP') ?? appGroup
    if (group === undefined) return []
    report.kept(labels.place('HAPROXY_GROUP'), `${group}: it is served by the Gateway of its routes`)
    if (/^(?:false|f|no|n)$/i.test(label('ENABLED') ?? 'true')) {
      report.kept(labels.place(`HAPROXY_${number}_ENABLED`), 'it is off, and nothing was made of it')
      return []
    }
    const made = backendsAt(number)
    const backends = made.map(({ backend }) => backend)
    const service: PortOfApp = {
      app,
      labels,
      number,
      servicePort: Number(label('PORT') ?? port.servicePort),
      name: ports.length > 1 ? `${name}-${number}` : name,
      index,
      backends,
    }
    return [{ ...servedPort(service, context), objects: made.flatMap(({ objects }) => objects) }]
  })
  if (served.length === 0)
    report.changed(
      app.at,
      appGroup === undefined
        ? 'it has no HAPROXY_GROUP, so that nothing was led to it, and is not'
        : 'no port of it is served',
    )
  colours.forEach(colour => tellRest(colour, app, context))
  return served
}

interface PortOfApp {
  readonly app: Fields
  readonly labels: Fields
  readonly number: number
  readonly servicePort: number
  readonly name: string
  readonly index: number
  readonly backends: readonly SourceBackend[]
}

function servedPort(port: PortOfApp, context: ImportContext): Omit<Served, 'objects'> {
  const { labels, number, servicePort, name, backends } = port
  const { report } = context
  const key = (text: string): string => `HAPROXY_${number}_${text}`
  const place = (text: string): string => labels.place(key(text))
  const hosts = hostsIn(labels, key('VHOST'))
  const mode = labels.text(key('MODE'))?.toLowerCase() ?? (hosts.given ? 'http' : 'tcp')
  tellWhatHasNoEqual(labels, key)
  const effects = guardsOf(labels, key, name)
  const balance = balanceIn(labels, key, hosts.given)
  const balanced = balance && {
    balanced: { at: `${labels.at} / HAPROXY_${number}`, name, balance, services: backends },
  }
  const at = `${port.app.at} / port ${number}`
  if (balance !== undefined && portsOf(port.app).length > 1 && backends[0]?.name === plainName(idOf(port.app)))
    report.changed(at, `how it is balanced is for all ports of the Service ${backends[0].name}`)
  if (balance !== undefined && keepsClients(balance) && backends.length > 1)
    report.changed(at, 'which of both versions a client is led to is chosen for each request, and then its instance')
  if (!hosts.given) {
    for (const text of [
      'PATH',
      'REDIRECT_TO_HTTPS',
      'USE_HSTS',
      'HTTP_BACKEND_PROXYPASS_PATH',
      'HTTP_BACKEND_REDIR',
      'BACKEND_WEIGHT',
    ])
      if (labels.has(key(text))) {
        labels.text(key(text))
        report.changed(place(text), 'it says nothing without a VHOST, as with marathon-lb')
      }
    for (const { at: guard } of effects)
      report.leftOut(
        guard,
        'it is not for connections that are handed on, so that nothing was made for the port; give it a VHOST',
      )
    if (effects.length > 0 || servicePort === 0) {
      if (servicePort === 0)
        report.leftOut(at, 'Marathon gives it a service port by chance (0), and a listener needs one; name it')
      return { effects: [] }
    }
    report.kept(
      at,
      `port ${servicePort} of a Gateway, ${mode === 'http' ? 'handed on as it comes, requests as well' : 'handed on as it comes'}`,
    )
    return { connection: { name, ports: [servicePort], names: [], backends }, effects: [], ...balanced }
  }
  if (hosts.names.length === 0) {
    report.leftOut(at, 'none of its hosts can be taken, so that it was not made')
    return { effects: [] }
  }
  if (servicePort !== 0)
    report.changed(at, `it answers at its hosts, and not at its service port ${servicePort} as well`)
  const paths = pathsOf(labels, key)
  if (paths.all.length === 0) {
    report.leftOut(at, 'none of its paths can be taken, so that it was not made')
    return { effects: [] }
  }
  const weight = Number(labels.text(key('BACKEND_WEIGHT')) ?? 0) || (paths.given ? 1 : 0)
  const redirects = isTrue(labels.text(key('REDIRECT_TO_HTTPS')))
  const rank = [weight, -port.index, -number]
  const route: SourceRoute = {
    at,
    name,
    hosts: hosts.names,
    methods: [],
    headers: [],
    paths: proxied(paths.all, labels, key, rank),
    filters: isTrue(labels.text(key('USE_HSTS'))) ? [hsts] : [],
    backends,
    ...(redirects && { secureOnly: { redirect: 301 as const } }),
  }
  return { route, effects, ...balanced }
}

/** By how many instances each of two versions has; tasks say where an application runs now, and nothing else does. */
function backendOf(
  app: Fields,
  number: number,
  isWeighted: boolean,
  { namespace, names, report }: ImportContext,
): { readonly backend: SourceBackend; readonly objects: readonly object[] } {
  const port = portsOf(app)[number]
  const name = plainName(idOf(app))
  const at = `${app.at} / port ${number}`
  const weight = isWeighted ? { weight: instancesOf(app) } : {}
  const targets = tasksOf(app, number)
  const usable = targets.filter(({ address }) => addressType(address) !== undefined && !isOfMachine(address))
  const service = port?.containerPort || port?.servicePort || 80
  if (usable.length === 0) {
    report.changed(
      at,
      `it leads to the Service ${name}:${service}, which has to be there (sampan deploy makes it)${targets.length > 0 ? '; its tasks are named by hosts, and not by addresses' : ''}`,
    )
    return { backend: { name, port: service, ...weight }, objects: [] }
  }
  const taken = names.take('Service', portsOf(app).length > 1 ? `${name}-${number}` : name)
  report.changed(
    at,
    `it leads to where its ${usable.length} tasks run now; let it lead to the Service of the application once that runs here`,
  )
  return {
    backend: { name: taken, port: service, ...weight },
    objects: serviceOf({ name: taken, namespace, port: service, targets: usable }),
  }
}

function tellRest(app: Fields, leading: Fields, { report }: ImportContext): void {
  const labels = app.object('labels')
  const first = leading.object('labels')
  const ports = portsOf(app).length
  for (const key of labels?.unread() ?? []) {
    const [, number] = /^HAPROXY_(\d+)_/.exec(key) ?? []
    // Fields are read anew for each look at them: what is known stays known by its name.
    if (!key.startsWith('HAPROXY_')) report.passedOver(`labels / ${key}`, 'no label of marathon-lb')
    else if (!isKnownLabel(key)) report.leftOut(labels!.place(key), templateWords(key))
    else if (number !== undefined && Number(number) >= ports)
      report.leftOut(
        labels!.place(key),
        `there are ${ports} ports, and none has the number ${number}; write the port, or another number`,
      )
    else if (number !== undefined && !labels!.has('HAPROXY_GROUP') && !labels!.has(`HAPROXY_${number}_GROUP`))
      report.changed(labels!.place(key), 'the port has no HAPROXY_GROUP, so that nothing was led to it, and is not')
    else if (app !== leading && number !== undefined && first?.text(key) !== labels!.text(key))
      report.changed(labels!.place(key), `it is as ${idOf(leading)} has it, since both are served together`)
  }
  for (const key of [...otherFieldsOf(app), ...app.unread()])
    report.passedOver(key, 'how an application runs is for app.yml, and not for the gateway')
}
