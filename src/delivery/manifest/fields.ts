// Which fields `app.yml` has and what they may hold: the one table that checking, overlaying, messages, documentation
// and JSON Schema read.
import { build, dev } from './build-fields.ts'
import {
  anyText,
  bytes,
  check,
  command,
  cores,
  environmentsField,
  flag,
  imageName,
  imageWithTag,
  name,
  namedKeys,
  nameOfPort,
  onlyTrue,
  longestPortName,
  portName,
  portNameRule,
  portNumber,
  secretName,
  timeLimit,
  variableName,
  variableRule,
  wholeNumber,
} from './field-values.ts'
import type { Field, Fields } from './field.ts'
import {
  inHealth,
  inManifest,
  inPort,
  inResources,
  inSchedule,
  inService,
  inSidecar,
  inVariable,
} from './foreign-names.ts'
import { backingServiceTypes } from './manifest.ts'
import { route } from './route-fields.ts'
import { security } from './security-fields.ts'
import { strategy } from './strategy-fields.ts'

export { foundName, isName, nameRule } from './field-values.ts'

const port: Fields = {
  type: 'object',
  short: { is: portNumber, as: 'port' },
  fields: {
    port: { is: portNumber, required: true, about: 'port the service listens on' },
    nodePort: {
      is: { type: 'number', minimum: 30_000, maximum: 32_767, expected: 'a port from 30000 to 32767' },
      about: 'port of the machine that leads here',
    },
    protocol: { is: { type: 'choice', values: ['TCP', 'UDP'] }, about: 'TCP unless said otherwise' },
  },
  foreign: inPort,
}

const health: Fields = {
  type: 'object',
  oneOf: { names: ['http', 'grpc', 'tcp', 'command'], required: true },
  fields: {
    http: {
      is: {
        type: 'text',
        pattern: /^\/\S*$/,
        expected: 'a path such as /healthz',
        meant: text => (/^[\w.-]+(?:\/[\w.-]*)*$/.test(text) ? `/${text}` : undefined),
      },
      about: 'path that answers 200 when the instance can serve',
    },
    grpc: { is: onlyTrue, about: 'ask the gRPC health service' },
    tcp: { is: onlyTrue, about: 'it is enough that the port accepts connections' },
    command: { is: command, about: 'program in the instance that ends with 0 when it can serve' },
    port: { is: nameOfPort, about: 'name of the port to ask; by default the first one' },
  },
  foreign: inHealth,
}

const variable: Fields = {
  type: 'object',
  short: { is: { type: 'text', expected: 'text or a number' }, as: 'value' },
  oneOf: { names: ['secret', 'configMap'], required: true },
  fields: {
    secret: { is: anyText, about: 'name of a Secret that the cluster has already' },
    configMap: { is: anyText, about: 'name of a ConfigMap that the cluster has already' },
    key: { is: anyText, required: true, about: 'which of its keys' },
  },
  foreign: inVariable,
}

const resources: Fields = {
  type: 'object',
  fields: {
    cpu: { is: cores, about: 'cores that are reserved; more is used where there is more' },
    cpuLimit: { is: cores, about: 'cores that are never exceeded; by default there is no such limit' },
    memory: { is: bytes, about: 'memory that is reserved, and the limit' },
  },
  foreign: inResources,
}

const backingService: Fields = {
  type: 'object',
  switchable: true,
  fields: {
    image: { is: imageWithTag, about: 'of a server of its own; chosen by default' },
    size: { is: bytes, about: 'of the storage of a server of its own' },
    database: {
      is: {
        type: 'text',
        pattern: /^[a-z][a-z0-9_-]{0,62}$/,
        expected: 'a name of lower-case letters, digits, "_" and "-"',
      },
      about: 'its name, or that of the bucket or virtual host; by default the name of the service',
    },
  },
  foreign: inService,
}

const serviceAbout: Readonly<Record<(typeof backingServiceTypes)[number], string>> = {
  postgres: 'a database of PostgreSQL',
  mysql: 'a database of MySQL or MariaDB',
  mongo: 'a database of MongoDB',
  redis: 'a Redis',
  rabbitmq: 'a virtual host of RabbitMQ',
  nats: 'an account of NATS',
  s3: 'a bucket',
}

const migrate: Fields = {
  type: 'object',
  fields: {
    up: { is: command, required: true, about: 'brings the schema to what this version wants' },
    down: { is: command, about: 'undoes what `up` of the same image did' },
    version: { is: command, about: 'prints the version of the schema in its last line' },
    irreversible: { is: flag, about: 'nothing undoes it: a rollback refuses to go back behind it' },
    timeLimit: { is: timeLimit, about: 'how long each may take; by default PT10M' },
  },
}

const schedule: Fields = {
  type: 'object',
  oneOf: { names: ['every', 'cron'], required: true },
  fields: {
    every: { is: anyText, about: 'a duration such as PT30M, or a repeat such as R/2026-01-01T00:00:00Z/PT7H' },
    cron: { is: anyText, about: 'five fields such as "15 6 * * 1-5"' },
    timeZone: { is: anyText, about: 'such as Europe/Kyiv; by default UTC' },
    run: { is: command, required: true, about: 'program and arguments' },
    overlap: { is: flag, about: 'may start while the run before still goes on; by default it may not' },
    retries: { is: wholeNumber(0, 100, 'a number of retries'), about: 'of a run that failed; by default none' },
    timeLimit: { is: timeLimit, about: 'how long a run may take; by default any time' },
  },
  foreign: inSchedule,
}

/** How a process is started: that of the service, and those beside it. */
const processFields: Readonly<Record<string, Field>> = {
  command: { is: command, about: 'replaces the command of the image' },
  env: {
    is: {
      type: 'map',
      keys: variableName,
      keyName: 'variable name',
      keyRule: variableRule,
      example: '{ LOG_LEVEL: info }',
      values: variable,
    },
    about: 'environment variables',
  },
  files: {
    is: {
      type: 'map',
      keys: /^(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/,
      keyName: 'absolute path',
      keyRule: 'a path of a file in the container such as /etc/shop/rules.json',
      example: '{ /etc/shop/rules.json: ./rules.json }',
      values: {
        type: 'text',
        pattern: /^(?!\/)[^\0]*[^/\0]$/,
        expected: 'a file beside app.yml such as ./rules.json',
      },
    },
    about: 'files in the container, by their paths there',
  },
  secrets: {
    is: { type: 'list', items: secretName, unique: true },
    about: 'variables whose values are in the secrets of the environment',
  },
  resources: { is: resources, about: 'what one instance needs' },
  security: { is: security, about: 'what an instance may do; restricted unless something stands here' },
}

const sidecar: Fields = {
  type: 'object',
  short: { is: imageWithTag, as: 'image' },
  fields: {
    image: { is: imageWithTag, about: 'by default that of the service' },
    health: { is: health, about: 'the service begins when it holds; `port` is one of the ports of the service' },
    ...processFields,
  },
  foreign: inSidecar,
}

/** What may differ from environment to environment. */
const changeable: Readonly<Record<string, Field>> = {
  image: { is: imageName, about: 'by default the name of the service in the registry of the environment' },
  namespace: { is: name, about: 'Kubernetes namespace; by default as sampan.yml says, or the name of the environment' },
  replicas: { is: wholeNumber(0, 10_000, 'a number of instances'), about: 'how many instances run' },
  command: processFields['command']!,
  ports: {
    is: {
      type: 'map',
      keys: portName,
      longest: longestPortName,
      keyName: 'port name',
      keyRule: portNameRule,
      example: '{ http: 3000 }',
      values: port,
    },
    about: 'ports by name',
  },
  health: { is: health, about: 'how it is told whether an instance can serve' },
  env: processFields['env']!,
  resources: processFields['resources']!,
  security: processFields['security']!,
  spread: { is: flag, about: 'instances go to different nodes as far as there are some; by default they do' },
  disruptionBudget: {
    is: flag,
    about: 'maintenance of nodes takes one instance at a time; by default from two instances on',
  },
  strategy: { is: strategy, about: 'how a new version takes over; by default rolling' },
  stopSeconds: {
    is: wholeNumber(0, 3600, 'seconds from 0 to 3600'),
    about: 'time an instance gets to finish; by default 30',
  },
  ...Object.fromEntries(backingServiceTypes.map(type => [type, { is: backingService, about: serviceAbout[type] }])),
  migrate: { is: migrate, about: 'how the schema of the database is changed' },
  routes: { is: { type: 'list', items: route }, about: 'what comes in from outside for these names' },
  schedules: {
    is: {
      type: 'map',
      ...namedKeys,
      keyName: 'schedule name',
      keyRule: 'lower-case letters, digits and dashes, a letter first',
      example: '{ report: { every: P1D, run: node report.js } }',
      values: schedule,
    },
    about: 'what is started at times',
  },
  checks: {
    is: {
      type: 'object',
      fields: {
        before: { is: check, about: 'runs from the new image before it gets requests' },
        after: { is: check, about: 'runs from the new image when it serves' },
      },
    },
    about: 'what has to succeed, or the release is undone',
  },
  files: processFields['files']!,
  secrets: processFields['secrets']!,
  sidecars: {
    is: {
      type: 'map',
      ...namedKeys,
      keyName: 'sidecar name',
      keyRule: 'lower-case letters, digits and dashes, a letter first',
      example: '{ proxy: { image: envoy:1.30 } }',
      values: sidecar,
    },
    about: 'what runs beside the service in each instance, from before its start until after its end',
  },
  notify: { is: { type: 'list', items: name, unique: true }, about: 'hooks of sampan.yml that are told' },
}

export const manifestFields: Fields = {
  type: 'object',
  fields: {
    name: { is: name, required: true, about: 'name of the service' },
    ...changeable,
    build: { is: build, about: 'how its image is made; found out from the files in the folder' },
    dev: { is: dev, about: 'how it runs while it is being worked on with `sampan dev`' },
    ...environmentsField(changeable, '{ test: { replicas: 2 } }', 'what differs in each environment', inManifest),
  },
  foreign: inManifest,
}
