// Where Kong's services lead: an address becomes a Service with EndpointSlices, a name of the cluster's own DNS is the Service
// itself, and any other name has to become a Service, since nothing is led to names. Pure.
// Source: Kong, service, upstream and target; Kubernetes, DNS for services.
import { gatewayGroup } from '../../api/gateway-names.ts'
import { addressType, isOfMachine, serviceOf, type Target } from './addresses.ts'
import { balancingPolicies, keepsClients } from './balancing.ts'
import type { ImportContext } from './context.ts'
import type { Fields } from './fields.ts'
import { keyOf, tellUnread, type KongFile } from './kong-file.ts'
import { kongUpstreams, type KongUpstream } from './kong-upstreams.ts'
import { plainName } from './names.ts'
import type { SourceBackend } from './source-route.ts'

export interface KongService {
  readonly name: string
  readonly path: string
  readonly isForCalls: boolean
  readonly isOff: boolean
  readonly backends: readonly SourceBackend[]
  /** The name that it is asked for by. */
  readonly host: string | undefined
  readonly timeout?: string
}

export interface KongServices {
  /** By name and by id. */
  readonly byKey: ReadonlyMap<string, KongService>
  readonly objects: readonly object[]
}

const ports: Readonly<Record<string, number>> = { http: 80, https: 443, grpc: 80, grpcs: 443, ws: 80, wss: 443 }
const protocolsHere = new Set([...Object.keys(ports), 'tcp', 'tls', 'udp'])
const ownBalance = 'the gateway has its own ways: another instance is asked where one cannot be reached'

export function kongServices(file: KongFile, context: ImportContext): KongServices {
  const { report } = context
  const upstreams = kongUpstreams(file, context)
  const byKey = new Map<string, KongService>()
  const objects: object[] = []
  for (const fields of file.services) {
    const made = serviceFrom(fields, upstreams, file, context)
    objects.push(...made.objects)
    for (const key of [fields.text('name'), fields.text('id')]) if (key !== undefined) byKey.set(key, made.service)
    byKey.set(keyOf(fields), made.service)
    tellUnread(fields)
  }
  for (const [name, { isUsed, at }] of upstreams)
    if (!isUsed) report.changed(at, `no service has the host ${name}, so that nothing was made of it`)
  const balanced = [...upstreams].flatMap(([name, { at, balance, services }]) =>
    balance === undefined ? [] : [{ at, name, balance, services }],
  )
  return { byKey, objects: [...objects, ...grants(byKey, context), ...balancingPolicies(balanced, context)] }
}

function serviceFrom(
  fields: Fields,
  upstreams: ReadonlyMap<string, KongUpstream>,
  file: KongFile,
  context: ImportContext,
): { readonly service: KongService; readonly objects: readonly object[] } {
  const { namespace, names, report } = context
  const url = urlOf(fields)
  const protocol = fields.text('protocol') ?? url?.protocol ?? 'http'
  const host = (fields.text('host') ?? url?.host)?.toLowerCase()
  const port = fields.number('port') ?? url?.port ?? ports[protocol] ?? 80
  const path = fields.text('path') ?? url?.path ?? '/'
  const given = fields.text('name') ?? host ?? 'service'
  const isForCalls = protocol === 'grpc' || protocol === 'grpcs'
  const appProtocol = protocol === 'grpc' ? 'kubernetes.io/h2c' : undefined
  if (!protocolsHere.has(protocol))
    report.leftOut(
      fields.place('protocol'),
      `${protocol} is not known: it is spoken to by HTTP; correct it and import it again`,
    )
  const objects: object[] = []
  const own = (name: string, at: number, targets: readonly Target[]): SourceBackend => {
    const taken = names.take('Service', name)
    objects.push(
      ...serviceOf({ name: taken, namespace, port: at, targets, ...(appProtocol !== undefined && { appProtocol }) }),
    )
    return { name: taken, port: at }
  }
  let backends: readonly SourceBackend[] = []
  const inCluster = host === undefined ? null : /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?$/.exec(host)
  const upstream = host === undefined ? undefined : upstreams.get(host)
  if (host === undefined)
    report.leftOut(fields.at, 'it has no host, so that its routes lead nowhere (500); give it one and import it again')
  else if (upstream !== undefined) {
    upstream.isUsed = true
    const targets = together(upstream, context)
    const isOne = new Set(targets.map(({ weight }) => weight)).size <= 1 || keptTogether(upstream)
    if (targets.length === 0) {
      backends = [{ name: plainName(given), port }]
      report.changed(
        fields.place('host'),
        `no target of ${host} is an address: its routes lead to the Service ${plainName(given)}:${port}, which has to be there`,
      )
    } else if (isOne) {
      backends = [own(given, targets[0]!.port, targets)]
      report.kept(fields.at, `the Service ${backends[0]!.name} with ${targets.length} addresses`)
    } else {
      backends = targets.map(({ address, port: at, weight }) => ({
        ...own(`${given}-${address}`, at, [{ address, port: at }]),
        weight,
      }))
      report.kept(fields.at, `a Service for each of ${targets.length} addresses, led to by their weights`)
    }
    if (isOne) upstream.services.push(...backends)
    else if (upstream.balance !== undefined)
      report.leftOut(
        upstream.at,
        'its targets have different weights, so that each is a Service of its own with one instance: no BalancingPolicy was made; give all the same weight for one',
      )
  } else if (addressType(host) !== undefined && !isOfMachine(host)) {
    backends = [own(given, port, [{ address: host, port }])]
    report.kept(fields.at, `the Service ${backends[0]!.name} with the address ${host}`)
  } else if (inCluster !== null) {
    const [, name, place] = inCluster
    backends = [{ name: name!, port, ...(place !== namespace && { namespace: place! }) }]
    report.kept(fields.at, `led to as the Service ${name} of the namespace ${place}, by its port ${port}`)
  } else {
    const name = plainName(given)
    backends = [{ name, port }]
    report.changed(
      fields.place('host'),
      `${host} is a name, and the gateway leads to services: its routes lead to the Service ${name}:${port}, which has to be there (sampan deploy makes it; for something outside, write a Service with an EndpointSlice)`,
    )
  }
  const secure = protocol === 'https' || protocol === 'grpcs' || protocol === 'wss'
  if (protocol === 'tls' || protocol === 'tcp' || protocol === 'udp')
    report.changed(fields.place('protocol'), 'what comes is handed on as it is, without a TLS of its own')
  if (secure) objects.push(...tlsTo(fields, backends, host ?? '', file, context))
  else
    for (const key of ['tls_verify', 'tls_verify_depth', 'ca_certificates', 'client_certificate', 'tls_sans'])
      if (fields.has(key)) {
        fields.value(key)
        report.passedOver(key, 'of TLS, which the service is not spoken to by')
      }
  for (const key of ['retries', 'connect_timeout', 'write_timeout'])
    if (fields.has(key)) {
      fields.value(key)
      report.changed(fields.place(key), ownBalance)
    }
  const timeout = timeoutOf(fields)
  return {
    service: {
      name: given,
      path: path === '' ? '/' : path,
      isForCalls,
      isOff: fields.flag('enabled') === false,
      backends,
      host: upstream === undefined ? host : (upstream.host ?? ''),
      ...(timeout !== undefined && { timeout }),
    },
    objects,
  }
}

const keptTogether = ({ balance }: KongUpstream): boolean => balance !== undefined && keepsClients(balance)

/** Clients that have an instance need all instances in one Service, which knows no weights; one of 0 gets nothing. */
function together(upstream: KongUpstream, { report }: ImportContext): KongUpstream['targets'] {
  const { at, targets } = upstream
  if (!keptTogether(upstream) || new Set(targets.map(({ weight }) => weight)).size <= 1) return targets
  report.changed(
    at,
    'its targets have different weights, and all get the same share, since clients have instances of theirs; those with 0 get nothing',
  )
  return targets.filter(({ weight }) => weight > 0)
}

function urlOf(fields: Fields) {
  const text = fields.text('url')
  if (text === undefined) return undefined
  if (!URL.canParse(text))
    return fields.report.leftOut(fields.place('url'), 'expected a URL such as http://10.0.0.7:8080/path')
  const { protocol, hostname, port, pathname } = new URL(text)
  const scheme = protocol.slice(0, -1)
  return {
    protocol: scheme,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (ports[scheme] ?? 80) : Number(port),
    path: pathname,
  }
}

/** Between two pieces of an answer, in both worlds. */
function timeoutOf(fields: Fields): string | undefined {
  const readMs = fields.number('read_timeout')
  if (readMs === undefined || !(readMs >= 1)) return undefined
  if (readMs % 1000 === 0 && readMs / 1000 <= 99_999) return `${readMs / 1000}s`
  return readMs <= 99_999 ? `${Math.round(readMs)}ms` : `${Math.ceil(readMs / 60_000)}m`
}

/** The certificate of a service is always verified here. */
function tlsTo(
  fields: Fields,
  backends: readonly SourceBackend[],
  host: string,
  { authorities }: KongFile,
  { namespace, names, report }: ImportContext,
): readonly object[] {
  const verifies = fields.flag('tls_verify')
  if (fields.has('tls_verify_depth')) {
    fields.value('tls_verify_depth')
    report.changed(fields.place('tls_verify_depth'), 'how long a chain may be is not limited')
  }
  for (const key of ['client_certificate', 'tls_sans'])
    if (fields.has(key)) {
      fields.value(key)
      report.leftOut(
        fields.place(key),
        'the gateway shows services no certificate of its own, and verifies one name; do without it',
      )
    }
  const ids = fields.texts('ca_certificates') ?? []
  const certificates = ids.flatMap(id => authorities.get(id)?.text('cert') ?? [])
  if (certificates.length < ids.length)
    report.leftOut(fields.place('ca_certificates'), 'not all of them are in the file; add them to the ConfigMap')
  if (addressType(host) !== undefined || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host)) {
    report.leftOut(
      fields.place('protocol'),
      `it is spoken to by TLS at ${host}, whose certificate has no name to verify: it is spoken to in plain text; write a BackendTLSPolicy with its name`,
    )
    return []
  }
  if (verifies !== true)
    report.changed(
      fields.place(fields.has('tls_verify') ? 'tls_verify' : 'protocol'),
      `its certificate has to be good for ${host}, which Kong did not ask for; for one of an own authority, name that in the BackendTLSPolicy`,
    )
  const policy = names.take('BackendTLSPolicy', backends[0]!.name)
  const bundle = names.take('ConfigMap', `${backends[0]!.name}-authorities`)
  const targets = backends.filter(backend => backend.namespace === undefined)
  if (targets.length === 0) {
    report.leftOut(fields.place('protocol'), `write a BackendTLSPolicy in the namespace ${backends[0]!.namespace}`)
    return []
  }
  return [
    ...(certificates.length === 0
      ? []
      : [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: bundle, namespace },
            data: { 'ca.crt': certificates.join('\n') },
          },
        ]),
    {
      apiVersion: `${gatewayGroup}/v1`,
      kind: 'BackendTLSPolicy',
      metadata: { name: policy, namespace },
      spec: {
        targetRefs: targets.slice(0, 16).map(({ name }) => ({ group: '', kind: 'Service', name })),
        validation: {
          hostname: host,
          ...(certificates.length === 0
            ? { wellKnownCACertificates: 'System' }
            : { caCertificateRefs: [{ group: '', kind: 'ConfigMap', name: bundle }] }),
        },
      },
    },
  ]
}

/** Services of other namespaces have to let routes refer to them. */
function grants(byKey: ReadonlyMap<string, KongService>, { namespace, report }: ImportContext): readonly object[] {
  const others = new Map<string, Set<string>>()
  for (const { backends } of byKey.values())
    for (const { namespace: place, name } of backends)
      if (place !== undefined) others.set(place, (others.get(place) ?? new Set()).add(name))
  return [...others].map(([place, services]) => {
    report.kept(`the namespace ${place}`, `a ReferenceGrant there lets routes of ${namespace} lead to its services`)
    return {
      apiVersion: `${gatewayGroup}/v1`,
      kind: 'ReferenceGrant',
      metadata: { name: `routes-of-${namespace}`, namespace: place },
      spec: {
        from: ['HTTPRoute', 'GRPCRoute', 'TCPRoute', 'TLSRoute'].map(kind => ({
          group: gatewayGroup,
          kind,
          namespace,
        })),
        to: [...services].slice(0, 16).map(name => ({ group: '', kind: 'Service', name })),
      },
    }
  })
}
