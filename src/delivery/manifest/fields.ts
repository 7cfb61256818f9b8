// Which fields `app.yml` has and what they may hold: the one table that checking, messages and
// documentation read.

export type FieldType =
  | { readonly type: 'text'; readonly pattern?: RegExp; readonly expected: string }
  | { readonly type: 'number'; readonly minimum: number; readonly maximum: number; readonly expected: string }
  | { readonly type: 'choice'; readonly values: readonly string[] }
  | { readonly type: 'list'; readonly items: FieldType }
  | { readonly type: 'map'; readonly keys: RegExp; readonly keyName: string; readonly values: FieldType }
  /** `mayBeEmpty`: a key with nothing behind it is fine. */
  | { readonly type: 'object'; readonly fields: Readonly<Record<string, Field>>; readonly mayBeEmpty?: boolean }
  /** The first alternative whose YAML form fits is taken. */
  | { readonly type: 'either'; readonly options: readonly FieldType[] }

export interface Field {
  readonly is: FieldType
  readonly required?: boolean
  readonly about: string
}

const dnsLabel = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/
const name: FieldType = {
  type: 'text',
  pattern: dnsLabel,
  expected: 'a name of lower-case letters, digits and dashes that starts with a letter',
}
const anyText: FieldType = { type: 'text', expected: 'text' }
const portNumber: FieldType = { type: 'number', minimum: 1, maximum: 65_535, expected: 'a port from 1 to 65535' }
export const portAbout = 'port the service listens on'
const quantity = (example: string): FieldType => ({
  type: 'text',
  pattern: /^\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi)?$/,
  expected: `an amount such as ${example}`,
})

/** @param required an environment may change a port without saying its number again */
const port = (required: boolean): FieldType => ({
  type: 'either',
  options: [
    portNumber,
    {
      type: 'object',
      fields: {
        port: { is: portNumber, required, about: portAbout },
        nodePort: {
          is: { type: 'number', minimum: 30_000, maximum: 32_767, expected: 'a port from 30000 to 32767' },
          about: 'port of the machine that leads here',
        },
        protocol: { is: { type: 'choice', values: ['TCP', 'UDP'] }, about: 'TCP unless said otherwise' },
      },
    },
  ],
})

const environmentValue: FieldType = {
  type: 'either',
  options: [
    { type: 'text', expected: 'text or a number' },
    {
      type: 'object',
      fields: {
        secret: { is: anyText, about: 'name of a Secret' },
        configMap: { is: anyText, about: 'name of a ConfigMap' },
        key: { is: anyText, required: true, about: 'which of its keys' },
      },
    },
  ],
}

/** What may differ from environment to environment. */
const changeable = (complete: boolean): Readonly<Record<string, Field>> => ({
  image: { is: anyText, about: 'name of the image without tag' },
  namespace: { is: name, about: 'Kubernetes namespace; by default the name of the environment' },
  replicas: {
    is: { type: 'number', minimum: 0, maximum: 10_000, expected: 'a number of instances' },
    about: 'how many instances run',
  },
  command: { is: { type: 'list', items: anyText }, about: 'replaces the command of the image' },
  ports: { is: { type: 'map', keys: dnsLabel, keyName: 'port name', values: port(complete) }, about: 'ports by name' },
  health: {
    is: {
      type: 'object',
      fields: {
        http: {
          is: { type: 'text', pattern: /^\//, expected: 'a path such as /healthz' },
          about: 'path that answers 200 when the instance can serve',
        },
        grpc: { is: { type: 'choice', values: ['true'] }, about: 'ask the gRPC health service' },
        tcp: { is: { type: 'choice', values: ['true'] }, about: 'it is enough that the port accepts connections' },
        port: { is: name, about: 'name of the port to ask; by default the first one' },
      },
    },
    about: 'how it is told whether an instance can serve',
  },
  env: {
    is: { type: 'map', keys: /^[A-Za-z_][\w.-]*$/, keyName: 'variable name', values: environmentValue },
    about: 'environment variables',
  },
  resources: {
    is: {
      type: 'object',
      fields: {
        cpu: { is: quantity('100m or 0.5'), about: 'share of a processor that is reserved' },
        memory: { is: quantity('64Mi'), about: 'memory that is reserved, and the limit' },
      },
    },
    about: 'what one instance needs',
  },
  strategy: { is: { type: 'choice', values: ['rolling', 'recreate'] }, about: 'how a new version takes over' },
  stopSeconds: {
    is: { type: 'number', minimum: 0, maximum: 3600, expected: 'seconds from 0 to 3600' },
    about: 'time an instance gets to finish',
  },
})

export const manifestFields: FieldType & { type: 'object' } = {
  type: 'object',
  fields: {
    name: { is: name, required: true, about: 'name of the service' },
    ...changeable(true),
    environments: {
      is: {
        type: 'map',
        keys: dnsLabel,
        keyName: 'environment',
        values: { type: 'object', fields: changeable(false), mayBeEmpty: true },
      },
      about: 'what differs in each environment',
    },
  },
}
