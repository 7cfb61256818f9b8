// What Kong's plugin openid-connect says beside who is let in: what is done differently here, and what is only of Kong. Pure.
// Source: Kong, plugin openid-connect.
import { isObject, type Fields } from './fields.ts'

const differences: Readonly<Record<string, string>> = {
  verify_claims: 'what standard claims say is always looked at',
  verify_signature: 'signatures are always looked at',
  ignore_signature: 'signatures are always looked at',
  verify_nonce: 'it is always looked at',
  enable_hs_signatures: 'a shared secret is no key to check a token with; use an issuer with public keys',
  leeway: 'a token is good until its time, and not longer; have its issuer say more',
  ssl_verify: 'the certificate of the issuer is always verified; for one of an own authority write caRef',
  login_action: 'who logged in is sent to where he wanted to go',
  hide_credentials: 'services see what a client shows; have them pass over it',
  run_on_preflight: 'what browsers ask beforehand needs no token where the route answers it (CORS)',
  logout_methods: 'people log out by GET',
  response_mode: 'people come back with a code in the query',
  logout_redirect_uri: 'who logs out sees a page of the provider, or of the gateway',
  session_idling_timeout: 'nobody is logged out for doing nothing before sessionDuration is over',
  session_cookie_idletime: 'nobody is logged out for doing nothing before sessionDuration is over',
  authorization_endpoint: 'it is where the issuer says',
  token_endpoint: 'it is where the issuer says',
  userinfo_endpoint: 'it is where the issuer says',
  end_session_endpoint: 'it is where the issuer says',
  search_user_info: 'user info is asked for claims that are missing, when somebody logs in',
}

/** Values that say what is done here anyway. */
const usual: Readonly<Record<string, readonly unknown[]>> = {
  verify_claims: [true],
  verify_signature: [true],
  verify_nonce: [true],
  enable_hs_signatures: [false],
  leeway: [0],
  ssl_verify: [true],
  login_action: ['redirect'],
  hide_credentials: [false],
  run_on_preflight: [false],
  response_mode: ['query'],
}

export function tellOthers(config: Fields): void {
  const { report, place } = config
  if ((config.text('anonymous') ?? '') !== '')
    report.leftOut(
      place('anonymous'),
      'who shows nothing is not let in as somebody else; make a route of its own for them',
    )
  for (const [key, why] of Object.entries(differences)) {
    if (!config.has(key)) continue
    const value = config.value(key)
    if (usual[key]?.includes(value) ?? isNothing(value)) report.passedOver(key, 'as it is here')
    else report.changed(place(key), why)
  }
}

const ofKong =
  /^(?:cache_|session_|authorization_cookie|authorization_rolling|http_|https_proxy|no_proxy|keepalive$|timeout$|rediscovery_|display_errors$|reverify$|by_username|using_pseudo_issuer|token_cache|cluster_cache|redis$|resolve_|introspection_|userinfo_|token_|password_param|client_credentials_param|refresh_token|id_token_param|login_methods$|login_tokens$|login_redirect_mode$|preserve_query_args$|disable_session$|verify_parameters$|jwt_session_claim$|revocation_|forbidden_|unauthorized_|unexpected_|expose_error)/

/** Whatever nobody asked for until then: how Kong does its work, and what is off. */
export function tellKong(config: Fields): void {
  for (const key of config.unread()) {
    const value = config.value(key)
    if (isNothing(value)) config.report.passedOver(key, 'it is off')
    else if (ofKong.test(key)) config.report.passedOver(key, 'of how Kong itself asks, keeps and answers')
    else
      config.report.leftOut(
        config.place(key),
        `this field of the plugin has no equal${isObject(value) ? ` (${Object.keys(value).join(', ')})` : ''}; see whether you need it`,
      )
  }
}

const isNothing = (value: unknown): boolean =>
  value === undefined || value === false || value === '' || (Array.isArray(value) && value.length === 0)
