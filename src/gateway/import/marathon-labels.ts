// Labels of marathon-lb that say what is done with the requests of one port, as parts of routes and policies; and which
// labels it knows. Pure. Source: marathon-lb, labels and templates; HAProxy, `balance`.
import { addressType } from './addresses.ts'
import type { Balance } from './balancing.ts'
import type { Effect } from './effect.ts'
import type { Fields } from './fields.ts'
import { prefixPath, type SourcePath } from './paths.ts'
import type { RoutedPath } from './source-route.ts'

/** The name of a label of the port: `VHOST` -> `HAPROXY_0_VHOST` */
export type LabelName = (text: string) => string

export function deploymentLabels(labels: Fields): { readonly group: string | undefined } {
  const { report } = labels
  const group = labels.text('HAPROXY_DEPLOYMENT_GROUP')
  for (const key of ['GROUP', 'ALT_PORT', 'COLOUR', 'STARTED_AT', 'TARGET_INSTANCES', 'NEW_INSTANCES'])
    if (labels.has(`HAPROXY_DEPLOYMENT_${key}`)) {
      labels.text(`HAPROXY_DEPLOYMENT_${key}`)
      report.changed(
        labels.place(`HAPROXY_DEPLOYMENT_${key}`),
        'a release is the work of sampan deploy: strategy: blue-green in app.yml',
      )
    }
  return { group }
}

export const isTrue = (text: string | undefined): boolean => /^(?:true|t|yes|y)$/i.test(text ?? '')

export function hostsIn(labels: Fields, key: string): { readonly given: boolean; readonly names: readonly string[] } {
  const text = labels.text(key)
  if (!labels.has(key)) return { given: false, names: [] }
  const all = (text ?? '').split(',').map(each => each.trim().toLowerCase())
  const names = all.filter(each => /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(each))
  for (const each of all)
    if (!names.includes(each))
      labels.report.leftOut(
        labels.place(key),
        `${each}: expected a name such as shop.example.com; name it (HAProxy took it letter by letter)`,
      )
  return { given: true, names: [...new Set(names)] }
}

/** `-i /one /two`: several, without regard to case. */
export function pathsOf(
  labels: Fields,
  key: LabelName,
): { readonly given: boolean; readonly all: readonly SourcePath[] } {
  const text = labels.text(key('PATH'))
  if (text === undefined || text.trim() === '') return { given: false, all: [prefixPath('/')] }
  const words = text.trim().split(/\s+/)
  const ignoresCase = words.includes('-i')
  const all = words
    .filter(word => !word.startsWith('-'))
    .flatMap(word => {
      if (word.startsWith('/')) return [prefixPath(word, ignoresCase)]
      labels.report.leftOut(labels.place(key('PATH')), `${word}: expected a path that begins with /`)
      return []
    })
  for (const word of words)
    if (word.startsWith('-') && word !== '-i')
      labels.report.leftOut(labels.place(key('PATH')), `${word} is not known; write prefixes`)
  return { given: true, all }
}

/** A prefix is cut off, and the root sent elsewhere, inside of the backend: whatever path led there. */
export function proxied(
  paths: readonly SourcePath[],
  labels: Fields,
  key: LabelName,
  rank: readonly number[],
): readonly RoutedPath[] {
  const { report } = labels
  const cut = labels.text(key('HTTP_BACKEND_PROXYPASS_PATH'))?.replace(/\/+$/, '')
  const target = labels.text(key('HTTP_BACKEND_REDIR'))
  const made = paths.flatMap((path): RoutedPath[] => {
    if (cut === undefined || cut === '') return [{ path, rank: [...rank, 0] }]
    const value = path.value.replace(/\/+$/, '')
    if (path.kind === 'prefix' && path.ignoresCase === true) {
      report.leftOut(
        labels.place(key('HTTP_BACKEND_PROXYPASS_PATH')),
        'a prefix without regard to case (-i) is not cut off; write it without -i',
      )
      return [{ path, rank: [...rank, 0] }]
    }
    if (value === cut || value.startsWith(`${cut}/`))
      return [
        {
          path,
          rank: [...rank, 1],
          change: { type: 'ReplacePrefixMatch', replacePrefixMatch: value.slice(cut.length) || '/' },
        },
      ]
    if (!cut.startsWith(value)) return [{ path, rank: [...rank, 0] }]
    return [
      { path: prefixPath(cut), rank: [...rank, 1], change: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
      { path, rank: [...rank, 0] },
    ]
  })
  if (target === undefined) return made
  if (!target.startsWith('/') || !paths.some(({ value }) => value === '/')) {
    report.leftOut(
      labels.place(key('HTTP_BACKEND_REDIR')),
      'expected a path, and all paths of the host; write a RequestRedirect',
    )
    return made
  }
  return [
    {
      path: { kind: 'exact', value: '/' },
      rank: [...rank, 2],
      isAnswered: true,
      filters: [
        {
          type: 'RequestRedirect',
          requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: target }, statusCode: 301 },
        },
      ],
    },
    ...made,
  ]
}

export function guardsOf(labels: Fields, key: LabelName, name: string): readonly Effect[] {
  const { report } = labels
  const effects: Effect[] = []
  const networks = labels.text(key('BACKEND_NETWORK_ALLOWED_ACL'))
  if (networks !== undefined) {
    const at = labels.place(key('BACKEND_NETWORK_ALLOWED_ACL'))
    const all = networks.split(/\s+/).filter(each => each !== '')
    const isFine =
      all.length > 0 && all.length <= 256 && all.every(each => addressType(each.split('/')[0]!) !== undefined)
    if (isFine) report.kept(at, 'an AccessPolicy')
    else report.leftOut(at, 'expected networks such as 10.0.0.0/8; nobody is let in until you write the AccessPolicy')
    effects.push({
      at,
      plugin: 'networks',
      name: `${name}-networks`,
      ...(isFine
        ? {
            addresses: {
              allow: all.map(each => (each.includes('/') ? each : `${each}/${each.includes(':') ? 128 : 32}`)),
            },
          }
        : { isClosed: true }),
    })
  }
  if (labels.has(key('AUTH'))) {
    labels.text(key('AUTH'))
    const at = labels.place(key('AUTH'))
    report.leftOut(
      at,
      'its password is encrypted, which nobody turns back: nobody is let in until you write a Secret with username and password, a Consumer, and authentication: { basic: {} } in the AccessPolicy',
    )
    effects.push({ at, plugin: 'auth', name: `${name}-auth`, isClosed: true })
  }
  return effects
}

/** Of a backend, so that no cookie and no header is looked at where connections are handed on. */
export function balanceIn(labels: Fields, key: LabelName, isForRequests: boolean): Balance | undefined {
  const { report } = labels
  const sticky = labels.text(key('STICKY'))
  const isSticky = isTrue(sticky) && isForRequests
  if (isSticky)
    report.changed(
      labels.place(key('STICKY')),
      'affinity of a BalancingPolicy: its cookie has a name of its own, in place of mesosphere_server_id, so that each client is led to an instance once anew',
    )
  else if (sticky !== undefined)
    report.kept(
      labels.place(key('STICKY')),
      isTrue(sticky) ? 'it says nothing without a VHOST, here as well' : 'as it is here',
    )
  const choice = choiceIn(labels, key, isForRequests)
  if (choice === undefined && !isSticky) return undefined
  return { algorithm: 'RoundRobin', ...choice, ...(isSticky && { affinity: { cookie: {} } }) }
}

function choiceIn(
  labels: Fields,
  key: LabelName,
  isForRequests: boolean,
): Pick<Balance, 'algorithm' | 'hash'> | undefined {
  const { report } = labels
  const at = labels.place(key('BALANCE'))
  const text = labels.text(key('BALANCE'))?.trim()
  if (text === undefined) return undefined
  const [, method = '', name] =
    /^([\w-]+)(?:\(([^()]*)\)|\s+(\S+))?/.exec(text.replace(/^url_param\s+(\S+).*$/, 'url_param($1)')) ?? []
  const hash = hashes[method]?.(name ?? '')
  switch (method) {
    case 'roundrobin':
    case 'static-rr':
      return report.kept(at, 'one after the other, here as well')
    case 'random':
      return report.changed(at, 'instances take turns, in place of chance')
    case 'leastconn':
      report.kept(at, 'LeastConnections of a BalancingPolicy')
      return { algorithm: 'LeastConnections' }
  }
  if (hash === undefined)
    return report.leftOut(at, `instances take turns, in place of ${text}; see algorithm of a BalancingPolicy`)
  if (hash.by !== 'Address' && !isForRequests)
    return report.leftOut(at, `of connections that are handed on only the address is known; give it a VHOST`)
  report.changed(
    at,
    `ConsistentHash of a BalancingPolicy, in place of ${text}: each value is led to one instance, once anew`,
  )
  return { algorithm: 'ConsistentHash', hash }
}

const isName = (text: string): boolean => /^[A-Za-z0-9!#$%&'*+.^_|~-]{1,256}$/.test(text)

const hashes: Readonly<Record<string, (name: string) => Balance['hash']>> = {
  source: () => ({ by: 'Address' }),
  hdr: name => (isName(name) ? { by: 'Header', name } : undefined),
  url_param: name => (isName(name) ? { by: 'QueryParameter', name } : undefined),
}

const noEqual: Readonly<Record<string, string>> = {
  SSL_CERT:
    'a file of the machine of marathon-lb; make a Secret of it (kubectl create secret tls), and name it at a listener',
  BIND_OPTIONS: 'how a port is listened at is said by the Gateway',
  BIND_ADDR: 'where it listens is said by spec.addresses of the Gateway',
  HTTP_BACKEND_REVPROXY_PATH: 'where an answer sends a client is not changed; have the service say it',
  BACKEND_HEALTHCHECK_PORT_INDEX:
    'the gateway asks nobody how he is; health in app.yml says it (readinessProbe of the pods)',
}

export function tellWhatHasNoEqual(labels: Fields, key: LabelName): void {
  const { report } = labels
  for (const [name, why] of Object.entries(noEqual)) {
    const value = labels.text(key(name))
    if (value === undefined) continue
    report.leftOut(labels.place(key(name)), why)
  }
}

/** Without the number of the port. */
const templates: Readonly<Record<string, string>> = {
  BACKEND_HEAD: 'what it says of balance is for algorithm of a BalancingPolicy',
  BACKEND_STICKY_OPTIONS: 'what its cookie is called is for affinity of a BalancingPolicy',
  BACKEND_SERVER_OPTIONS: 'what it says of maxconn and slowstart is for concurrency and slowStart of a BalancingPolicy',
}

export function templateWords(label: string): string {
  const [, name = ''] = /^HAPROXY_\d+_(.*)$/.exec(label) ?? []
  if (name.includes('HEALTHCHECK_OPTIONS'))
    return 'a template of HAProxy is not read; health in app.yml says how an instance is (readinessProbe of the pods)'
  return `a template of HAProxy is not read; ${templates[name] ?? 'write what it does as filters or policies'}`
}

const readLabels = [
  'VHOST',
  'PATH',
  'GROUP',
  'MODE',
  'PORT',
  'ENABLED',
  'AUTH',
  'BALANCE',
  'STICKY',
  'REDIRECT_TO_HTTPS',
  'USE_HSTS',
  'HTTP_BACKEND_PROXYPASS_PATH',
  'HTTP_BACKEND_REDIR',
  'BACKEND_WEIGHT',
  'BACKEND_NETWORK_ALLOWED_ACL',
  ...Object.keys(noEqual),
]

export const isKnownLabel = (key: string): boolean =>
  key === 'HAPROXY_GROUP' ||
  /^HAPROXY_DEPLOYMENT_(?:GROUP|ALT_PORT|COLOUR|STARTED_AT|TARGET_INSTANCES|NEW_INSTANCES)$/.test(key) ||
  readLabels.some(name => new RegExp(`^HAPROXY_\\d+_${name}$`).test(key))
