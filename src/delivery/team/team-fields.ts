// Which fields `sampan.yml` has and what they may hold: the table that checking, overlaying, messages, documentation
// and JSON Schema read.
import {
  anyText,
  environmentsField,
  flag,
  hostName,
  name,
  namedKeys,
  nameRule,
  portNumber,
  secretName,
  webAddress,
} from '../manifest/field-values.ts'
import type { Field, Fields, Text } from '../manifest/field.ts'
import { inTeam } from '../manifest/foreign-names.ts'
import { backingServiceTypes } from '../manifest/manifest.ts'
import { logins, tokens } from '../manifest/route-fields.ts'

const server: Fields = {
  type: 'object',
  fields: {
    host: { is: hostName, required: true, about: 'as instances reach it' },
    port: { is: portNumber, about: 'by default the usual one' },
    user: { is: anyText, required: true, about: 'administrator of the server' },
    password: { is: secretName, required: true, about: 'name of his password in the secrets of the environment' },
    authority: {
      is: { type: 'text', pattern: /^[^\0]*[^/\0]$/, expected: 'a PEM file beside sampan.yml such as ./ca.pem' },
      about: 'who vouches for its certificate: a PEM file, relative to sampan.yml',
    },
  },
}

const namespace: Fields = {
  type: 'object',
  short: { is: { type: 'choice', values: ['environment', 'service'] }, as: 'rule' },
  fields: { name: { is: name, required: true, about: 'one namespace that all services share' } },
}

/** What environments share, and what each may have of its own. */
const changeable: Readonly<Record<string, Field>> = {
  context: { is: anyText, about: 'context of the kubeconfig; by default the current one' },
  engine: { is: { type: 'choice', values: ['kubernetes'] }, about: 'what runs the services; by default kubernetes' },
  domain: {
    is: hostName,
    about:
      'behind hosts of routes that are one label; who inherits it puts its own name in front; by default localhost',
  },
  registry: {
    is: {
      type: 'text',
      pattern: /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+|localhost)(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/,
      expected: 'a registry such as registry.example.com/team',
      meant: text => /^https?:\/\/([^\s/]+(?:\/[^\s/]+)*)\/?$/.exec(text)?.[1],
    },
    about: 'in front of images that name none, those of backing services too, also where the image is the default',
  },
  gateway: {
    is: {
      type: 'text',
      pattern: /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/,
      expected: 'a namespace and a name such as gateways/public',
    },
    about:
      'NAMESPACE/NAME of the Gateway that takes the routes, as HTTPRoutes; by default that of a Sampan cluster, and Ingresses elsewhere',
  },
  namespace: {
    is: namespace,
    about: 'one for each `environment` (default), for each `service` of it (ENVIRONMENT-SERVICE), or one with a `name`',
  },
  readers: { is: { type: 'list', items: name, unique: true }, about: 'names of people who may read the secrets' },
  servers: {
    is: {
      type: 'object',
      fields: Object.fromEntries(
        backingServiceTypes.map(type => [type, { is: server, about: `${type} that exists already` }]),
      ),
    },
    about: 'backing services that exist already; others are delivered beside the services',
  },
  jwt: { is: tokens, about: 'tokens that routes with `auth: jwt` take' },
  oidc: { is: logins, about: 'where people log in at routes with `auth: oidc`' },
  prometheus: { is: webAddress, about: 'Prometheus that knows the services' },
}

const recipient: Text = {
  type: 'text',
  pattern: /^age1[02-9ac-hj-np-z]{20,}$/,
  expected: 'a public key of age, which begins with age1',
}

const service: Fields = {
  type: 'object',
  mayBeEmpty: true,
  short: {
    is: { type: 'text', pattern: /^(?!\/)[^\0]+$/, expected: 'a folder beside sampan.yml such as ./shop' },
    as: 'path',
  },
  fields: {
    path: {
      is: { type: 'text', pattern: /^(?!\/)[^\0]+$/, expected: 'a folder beside sampan.yml such as ./shop' },
      about: 'folder of its app.yml; by default the one with its name',
    },
    needs: { is: { type: 'list', items: name, unique: true }, about: 'services that have to run before it' },
  },
  foreign: { depends_on: 'write needs: [customers]', dependsOn: 'write needs: [customers]' },
}

const hook: Fields = {
  type: 'object',
  short: { is: webAddress, as: 'url' },
  oneOf: { names: ['url', 'secret'], required: true },
  fields: {
    url: { is: webAddress, about: 'gets a JSON body with POST' },
    secret: { is: secretName, about: 'the same, with the address in the secrets of the environment' },
    optional: { is: flag, about: 'a delivery goes on when it does not answer; by default it is undone' },
  },
}

export const teamFields: Fields = {
  type: 'object',
  fields: {
    ...changeable,
    people: {
      is: {
        type: 'map',
        ...namedKeys,
        keyName: 'name',
        keyRule: nameRule,
        example: '{ anna: age1... }',
        values: recipient,
      },
      about: 'people and machines with their public keys of age',
    },
    hooks: {
      is: {
        type: 'map',
        ...namedKeys,
        keyName: 'hook',
        keyRule: nameRule,
        example: '{ team-hook: https://chat.example.com/hook }',
        values: hook,
      },
      about: 'who is told about deliveries: what `notify` of an app.yml names',
    },
    services: {
      is: {
        type: 'map',
        ...namedKeys,
        keyName: 'service',
        keyRule: nameRule,
        example: '{ shop: { needs: [customers] } }',
        values: service,
      },
      about: 'what is delivered together',
    },
    ...environmentsField(changeable, '{ test: { domain: test.example.com } }', 'what there is to deliver to', inTeam),
  },
  foreign: inTeam,
}
