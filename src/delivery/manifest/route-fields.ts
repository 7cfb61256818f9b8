// What comes in from outside, who may ask and how much: `routes`, and `jwt` and `oidc` of sampan.yml.
import { anyText, hostName, longestHost, meantHost, nameOfPort, secretName, webAddress } from './field-values.ts'
import type { Choice, Fields, FieldType, Text } from './field.ts'
import { inAuth, inLogins, inRoute, inTokens } from './foreign-names.ts'

const tokenText: Text = { type: 'text', pattern: /^\S{1,253}$/, expected: 'text without spaces' }

const claims: FieldType = {
  type: 'map',
  keys: /^[\w-]+$/,
  keyName: 'claim',
  keyRule: 'letters, digits, "_" and "-"',
  example: '{ role: [admin] }',
  values: { type: 'list', items: tokenText, unique: true, some: true },
}

/** Tokens that are taken, wherever that is said. */
export const tokens: Fields = {
  type: 'object',
  fields: {
    issuer: {
      is: {
        type: 'text',
        pattern: /^\S{1,253}$/,
        expected: 'what tokens say of their issuer, such as https://login.example.com',
      },
      required: true,
      about: 'who makes the tokens: what is in `iss`',
    },
    audiences: {
      is: { type: 'list', items: tokenText, unique: true },
      about: 'whom they are for: one of them is in `aud`; by default anybody',
    },
    keys: {
      is: {
        type: 'text',
        pattern: /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/,
        expected: 'the name of a Secret such as login-keys',
      },
      about:
        'name of a Secret that the cluster has already, with the keys of who signs: `jwks.json`, or PEM in `key.pem`; by default the keys are where the issuer says',
    },
    jwksUri: { is: webAddress, about: 'address of the keys of who signs, where the issuer does not say it' },
    claims: { is: claims, about: 'what else they have to say, each with one of its values' },
  },
  oneOf: { names: ['keys', 'jwksUri'], required: false },
  foreign: inTokens,
}

/** How people log in, wherever that is said. */
export const logins: Fields = {
  type: 'object',
  fields: {
    issuer: { is: webAddress, required: true, about: 'provider of OpenID Connect' },
    clientId: {
      is: { ...anyText, pattern: /^[^\s\0]{1,256}$/, expected: 'the name by which the provider knows this client' },
      required: true,
      about: 'name by which the provider knows this client',
    },
    clientSecret: {
      is: secretName,
      about: 'name of its secret in the secrets of the environment; without it the client is a public one',
    },
    scopes: {
      is: { type: 'list', items: tokenText, unique: true },
      about: 'what the provider is asked for beyond `openid`, such as groups',
    },
    claims: { is: claims, about: 'what the provider has to say of who logs in, each with one of its values' },
    groupsClaim: {
      is: { type: 'text', pattern: /^[\w-]{1,64}$/, expected: 'the name of a claim such as groups' },
      about: 'claim in which the provider says the `groups` of a route; by default groups',
    },
  },
  foreign: inLogins,
}

const ways: Choice = { type: 'choice', values: ['keys', 'basic', 'jwt', 'oidc'] }

const auth: Fields = {
  type: 'object',
  short: { is: ways, as: 'way' },
  fields: {
    jwt: { is: tokens, about: 'tokens of this route; `auth: jwt` takes those of sampan.yml' },
    oidc: { is: logins, about: 'where people log in at this route; `auth: oidc` takes that of sampan.yml' },
  },
  oneOf: { names: ['jwt', 'oidc'], required: true },
  foreign: inAuth,
}

const network: Text = {
  type: 'text',
  pattern: /^[0-9a-fA-F:.]{2,39}(?:\/\d{1,3})?$/,
  expected: 'a network such as 10.0.0.0/8, or an address',
}

const networks: FieldType = { type: 'list', items: network, unique: true, some: true }

const units: Readonly<Record<string, string>> = { s: 's', m: 'm', h: 'h', d: '24h' }

/** `100 / minute` → `100/m` */
function meantLimit(text: string): string | undefined {
  const words = /^([1-9]\d*) ?(?:r|req|requests?)? ?(?:\/|per) ?(\d*) ?(s|m|h|d)(?:ec|in|r|ay|econd|inute|our)?s?$/i
  const [, requests, count = '', unit = ''] = words.exec(text) ?? []
  return requests === undefined ? undefined : `${requests}/${count}${units[unit.toLowerCase()]}`
}

export const rateLimitPattern = /^([1-9]\d{0,5})\/([1-9]\d{0,4})?([smh])$/

export const route: Fields = {
  type: 'object',
  fields: {
    host: {
      is: {
        type: 'text',
        longest: longestHost,
        pattern: new RegExp(String.raw`^(?:\*\.)?${(hostName.pattern as RegExp).source.slice(1)}`),
        expected: 'a name such as shop, shop.example.com or *.example.com',
        meant: meantHost,
      },
      required: true,
      about: 'whole name, or one label in front of the domain of the environment',
    },
    path: {
      is: {
        type: 'text',
        pattern: /^\/[^\s?#*]*$/,
        expected: 'a path such as /api, which stands for all below it',
        meant: text => /^(\/[^\s?#*]*?)\/?\*+$/.exec(text)?.[1] ?? (/^[\w/-]+$/.test(text) ? `/${text}` : undefined),
      },
      about: 'and all below it; by default /',
    },
    port: { is: nameOfPort, about: 'name of a port; by default `http`, or the first one' },
    auth: {
      is: auth,
      about:
        'who may ask: with one of the `keys` of consumers in X-API-Key, with a name and a password (`basic`), with a token (`jwt`), or who logs in (`oidc`); by default everybody',
    },
    groups: {
      is: {
        type: 'list',
        items: { ...anyText, pattern: /^\S{1,63}$/, expected: 'the name of a group' },
        unique: true,
        some: true,
      },
      about: 'beside auth: whose consumers may ask, or with `oidc` who of the people; by default all of them',
    },
    rateLimit: {
      is: {
        type: 'text',
        pattern: rateLimitPattern,
        expected: 'requests in a time such as 10/s, 100/m or 20/10s',
        meant: meantLimit,
      },
      about: 'how much each of those who ask gets, told apart by auth, or by their addresses; then 429',
    },
    allow: { is: networks, about: 'networks that may ask; by default all' },
    deny: { is: networks, about: 'networks that may not' },
  },
  foreign: inRoute,
}
