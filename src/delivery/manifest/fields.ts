// Which fields `app.yml` has and what they may hold: the one table that checking, messages and
// documentation read.

export type FieldType =
  | { readonly type: 'text'; readonly pattern?: RegExp; readonly expected: string }
  | { readonly type: 'number'; readonly minimum: number; readonly maximum: number; readonly expected: string }
  | { readonly type: 'choice'; readonly values: readonly string[] }
  | { readonly type: 'list'; readonly items: FieldType }
  /** `keyRule`: what `keys` asks for, in words. */
  | {
      readonly type: 'map'
      readonly keys: RegExp
      readonly keyName: string
      readonly keyRule: string
      readonly values: FieldType
    }
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
/** Of a service or an environment. */
export const isName = (text: string): boolean => dnsLabel.test(text)
export const nameRule = 'a name of lower-case letters, digits and dashes that starts with a letter'
const name: FieldType = { type: 'text', pattern: dnsLabel, expected: nameRule }
/** As Kubernetes wants the name of a port. */
const portName = /^(?!.*--)[a-z]([-a-z0-9]{0,13}[a-z0-9])?$/
const imageName: FieldType = {
  type: 'text',
  pattern: /^([A-Za-z0-9.-]+(:\d+)?\/)?[a-z0-9]+([._/-]+[a-z0-9]+)*$/,
  expected: 'the name of an image without tag',
}
const anyText: FieldType = { type: 'text', expected: 'text' }
const portNumber: FieldType = { type: 'number', minimum: 1, maximum: 65_535, expected: 'a port from 1 to 65535' }
export const portAbout = 'port the service listens on'
const processorShare: FieldType = {
  type: 'text',
  pattern: /^\d+(\.\d+)?m?$/,
  expected: 'an amount such as 100m or 0.5',
}
const memorySize: FieldType = {
  type: 'text',
  pattern: /^\d+(\.\d+)?(k|Ki|M|Mi|G|Gi)?$/,
  expected: 'an amount such as 64Mi',
}

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
  image: { is: imageName, about: 'by default sampan.local and the name of the service' },
  namespace: { is: name, about: 'Kubernetes namespace; by default the name of the environment' },
  replicas: {
    is: { type: 'number', minimum: 0, maximum: 10_000, expected: 'a number of instances' },
    about: 'how many instances run',
  },
  command: { is: { type: 'list', items: anyText }, about: 'replaces the command of the image' },
  ports: {
    is: {
      type: 'map',
      keys: portName,
      keyName: 'port name',
      keyRule: 'at most 15 lower-case letters, digits and single dashes, a letter first',
      values: port(complete),
    },
    about: 'ports by name',
  },
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
    is: {
      type: 'map',
      keys: /^[A-Za-z_][\w.-]*$/,
      keyName: 'variable name',
      keyRule: 'letters, digits, "_", "-" and ".", no digit first',
      values: environmentValue,
    },
    about: 'environment variables',
  },
  resources: {
    is: {
      type: 'object',
      fields: {
        cpu: { is: processorShare, about: 'share of a processor that is reserved' },
        memory: { is: memorySize, about: 'memory that is reserved, and the limit' },
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
        keyRule: nameRule,
        values: { type: 'object', fields: changeable(false), mayBeEmpty: true },
      },
      about: 'what differs in each environment',
    },
  },
}
