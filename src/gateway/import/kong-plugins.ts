// Which plugins of Kong are for which routes, and what each becomes. Of those of one name, the one that is nearest to the
// route runs, and no other. Pure. Source: Kong, plugins, precedence.
import type { ImportContext } from './context.ts'
import type { Effect } from './effect.ts'
import { fieldsOf, isObject, type Fields } from './fields.ts'
import { tellUnread, type KongFile, type ScopedPlugin } from './kong-file.ts'
import { answerCache } from './kong-cache.ts'
import { cors, redirect, transformer } from './kong-filters.ts'
import { loginAuth, type PluginScope } from './kong-logins.ts'
import {
  acl,
  basicAuth,
  correlationId,
  ipRestriction,
  keyAuth,
  rateLimiting,
  rateLimitingAdvanced,
  requestSize,
  termination,
  type Made,
} from './kong-policies.ts'
import { tokenAuth } from './kong-tokens.ts'

type Reader = (config: Fields, scope: PluginScope) => Made

const readers: Readonly<Record<string, Reader>> = {
  'key-auth': keyAuth,
  'basic-auth': basicAuth,
  jwt: (config, { file, context }) => tokenAuth(config, file, context),
  'openid-connect': loginAuth,
  acl,
  'ip-restriction': ipRestriction,
  'rate-limiting': rateLimiting,
  'rate-limiting-advanced': rateLimitingAdvanced,
  'request-size-limiting': requestSize,
  'request-termination': termination,
  'correlation-id': correlationId,
  'proxy-cache': answerCache,
  'proxy-cache-advanced': answerCache,
  cors,
  redirect,
  'request-transformer': config => transformer(config, true),
  'request-transformer-advanced': config => transformer(config, true),
  'response-transformer': config => transformer(config, false),
  'response-transformer-advanced': config => transformer(config, false),
}

/** They keep somebody out, and there is nothing here that would. */
const guards = new Set([
  'bot-detection',
  'external-auth',
  'forward-auth',
  'header-cert-auth',
  'hmac-auth',
  'jwe-decrypt',
  'jwt-keycloak',
  'jwt-signer',
  'key-auth-enc',
  'ldap-auth',
  'ldap-auth-advanced',
  'mtls-auth',
  'oauth2',
  'oauth2-introspection',
  'oidc',
  'opa',
  'saml',
  'session',
  'tls-handshake-modifier',
  'upstream-oauth',
  'vault-auth',
])

/** @returns the names of what nothing is made of */
function readAll(fields: Fields): string {
  return fields
    .unread()
    .flatMap(key => {
      const value = fields.value(key)
      return isObject(value) ? [key, ...Object.keys(value)] : [key]
    })
    .join(', ')
}

const instead: Readonly<Record<string, string>> = {
  'http-log': 'what the gateway logs is in the log of the cluster; have it collected from there',
  'file-log': 'what the gateway logs is in the log of the cluster; have it collected from there',
  'tcp-log': 'what the gateway logs is in the log of the cluster; have it collected from there',
  'udp-log': 'what the gateway logs is in the log of the cluster; have it collected from there',
}

export interface Plugins {
  readonly of: (route: readonly string[], service: readonly string[]) => readonly Effect[]
  /** That policies refer to. */
  readonly objects: readonly object[]
}

export function kongPlugins(file: KongFile, context: ImportContext): Plugins {
  const { report } = context
  const known = file.plugins.flatMap(scoped => {
    const { fields } = scoped
    const plugin = fields.text('name') ?? ''
    const enabled = fields.flag('enabled') ?? true
    if (!enabled) {
      report.kept(fields.at, `it is off, and nothing was made of it (${readAll(fields)})`)
      return []
    }
    if (scoped.consumer !== undefined || fields.has('consumer_group') || fields.has('consumer_groups')) {
      report.leftOut(
        fields.at,
        `a policy is for routes, and not for some Consumers (${scoped.consumer ?? 'a group'}); make a route of its own for them (${readAll(fields)})`,
      )
      return []
    }
    return [{ scoped, effect: effectOf(plugin, fields, scoped, file, context) }]
  })
  const owns = (value: string | undefined, keys: readonly string[]): boolean =>
    value !== undefined && keys.includes(value)
  return {
    of: (route, service) => {
      const best = new Map<string, { level: number; effect: Effect }>()
      for (const { scoped, effect } of known) {
        if (scoped.route !== undefined && !owns(scoped.route, route)) continue
        if (scoped.service !== undefined && !owns(scoped.service, service)) continue
        const level = Number(scoped.route !== undefined) * 2 + Number(scoped.service !== undefined)
        const before = best.get(effect.plugin)
        if (before === undefined || level > before.level) best.set(effect.plugin, { level, effect })
      }
      return [...best.values()].map(({ effect }) => effect)
    },
    objects: known.flatMap(({ effect }) => effect.objects ?? []),
  }
}

function effectOf(
  plugin: string,
  fields: Fields,
  scoped: ScopedPlugin,
  file: KongFile,
  context: ImportContext,
): Effect {
  const { report } = context
  const { route, service } = scoped
  const base: Effect = { at: fields.at, plugin, name: [route ?? service, plugin].filter(Boolean).join('-') }
  const reader = Object.hasOwn(readers, plugin) ? readers[plugin] : undefined
  const config = fields.object('config') ?? fieldsOf({}, fields.place('config'), report)
  for (const key of ['protocols', 'run_on', 'instance_name', 'ordering', '_config'])
    if (fields.has(key)) {
      fields.value(key)
      if (key === '_config')
        report.leftOut(fields.place(key), 'shared configurations are not looked up; write it in: deck file render')
      else
        report.passedOver(
          key === 'protocols' ? 'plugins / protocols' : key,
          'a plugin is for all requests of its routes',
        )
    }
  if (plugin === 'prometheus') {
    report.changed(fields.at, `the gateway has figures of its own, always (${readAll(config)})`)
    tellUnread(fields)
    return base
  }
  if (reader === undefined) {
    const isClosed = guards.has(plugin)
    const all = readAll(config)
    const held = all === '' ? '' : ` (${all})`
    report.leftOut(
      fields.at,
      isClosed
        ? `this gateway has no equal${held}; nobody is let in until you write another AccessPolicy in its place`
        : `${instead[plugin] ?? 'this gateway has no equal; see what it does, and whether somebody relies on it'}${held}`,
    )
    tellUnread(fields)
    return isClosed ? { ...base, isClosed } : base
  }
  const made = reader(config, { name: base.name, scoped, file, context })
  report.kept(fields.at, madeWords(made))
  tellUnread(config, 'this field of the plugin has no equal; see whether you need it')
  tellUnread(fields)
  return { ...base, ...made }
}

function madeWords({ authentication, addresses, groups, traffic, filters, path, isClosed }: Partial<Effect>): string {
  if (isClosed === true) return 'nobody is let in'
  if (authentication !== undefined || addresses !== undefined) return 'an AccessPolicy'
  if (groups !== undefined) return 'groups of an AccessPolicy'
  if (traffic !== undefined) return 'a TrafficPolicy'
  if (filters !== undefined || path !== undefined) return 'filters of its routes'
  return 'nothing was made of it'
}
