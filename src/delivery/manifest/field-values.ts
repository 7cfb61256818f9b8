// What single fields hold that occur in more than one place.
import { durationPattern, meantDuration } from './duration.ts'
import type { Amount, CommandLine, Field, Fields, FieldType, Flag, Text } from './field.ts'

export const dnsLabel = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/
/** As a DNS label, which names become a part of. */
export const longestName = 63
/** Keys of maps that are such names. */
export const namedKeys = { keys: dnsLabel, longest: longestName } as const
/** Of a service or an environment. */
export const isName = (text: string): boolean => dnsLabel.test(text)
/** What was found where a name was expected, as people are told. */
export const foundName = (text: string): string =>
  text.length > longestName
    ? `"${text}" of ${text.length} characters, of which ${longestName} are possible`
    : `"${text}"`
export const nameRule = 'a name of lower-case letters, digits and dashes that starts with a letter'

/** `My Service` → `my-service` */
export function meantName(text: string): string | undefined {
  if (/[:/@]/.test(text)) return undefined
  const meant = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '')
  return meant !== text && isName(meant) ? meant : undefined
}

export const name: Text = {
  type: 'text',
  pattern: dnsLabel,
  longest: longestName,
  expected: nameRule,
  meant: meantName,
}
export const anyText: Text = { type: 'text', expected: 'text' }
export const flag: Flag = { type: 'flag' }
export const onlyTrue: Flag = { type: 'flag', only: true }

/** As Kubernetes wants the name of a port. */
export const portName = /^(?!.*--)[a-z](?:[-a-z0-9]{0,13}[a-z0-9])?$/
export const longestPortName = 15
export const portNameRule = 'at most 15 lower-case letters, digits and single dashes, a letter first'
export const nameOfPort: Text = { type: 'text', pattern: portName, expected: 'the name of a port' }
export const portNumber: Amount = {
  type: 'number',
  minimum: 1,
  maximum: 65_535,
  expected: 'a port from 1 to 65535',
}

export const variableName = /^[A-Za-z_][\w.-]*$/
export const variableRule = 'letters, digits, "_", "-" and ".", no digit first'

/** What is there instead is perhaps the secret itself. */
export const secretName: Text = {
  type: 'text',
  pattern: /^[A-Za-z_]\w*$/,
  expected: 'the name of a secret such as PARTNER_TOKEN',
  hidden: true,
}

export const timeLimit: Text = {
  type: 'text',
  pattern: durationPattern,
  expected: 'a duration such as PT10M',
  meant: meantDuration,
}

const imagePath = String.raw`(?:[A-Za-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._\/\-]+[a-z0-9]+)*`

export const imageName: Text = {
  type: 'text',
  pattern: new RegExp(`^${imagePath}$`),
  expected: 'the name of an image without tag',
  meant: text => /^([^\s@]+):[^/@\s]+$/.exec(text)?.[1],
}

export const imageWithTag: Text = {
  type: 'text',
  pattern: new RegExp(String.raw`^${imagePath}(?::\w[\w.\-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`),
  expected: 'the name of an image such as postgres:16',
}

/** From 100 on it was surely thousandths that were meant. */
export const cores: Text = {
  type: 'text',
  pattern: /^(?:\d{1,2}(?:\.\d{1,3})?|\.\d{1,3}|[1-9]\d{0,5}m)$/,
  below: 100,
  expected: 'cores such as 0.5 or 500m',
  meant: text => {
    if (/^[1-9]\d{2,5}$/.test(text)) return `${text}m`
    const percent = /^(\d+)%$/.exec(text)?.[1]
    return percent === undefined ? undefined : `${Number(percent) * 10}m`
  },
}

/** Without a unit it would be bytes, which nobody means. */
export const bytes: Text = {
  type: 'text',
  pattern: /^[1-9]\d*(?:\.\d+)?(?:k|Ki|M|Mi|G|Gi|T|Ti)$/,
  expected: 'an amount with its unit, such as 64Mi',
  meant: text => {
    const [, amount, unit] = /^([1-9]\d{0,5}(?:\.\d+)?) ?(?:([kmgt])i?b?)?$/i.exec(text) ?? []
    return amount === undefined ? undefined : `${amount}${unit === undefined ? 'M' : unit.toUpperCase()}i`
  },
}

export const webAddress: Text = {
  type: 'text',
  pattern: /^https?:\/\/[^\s/]+(?:\/\S*)?$/,
  expected: 'an address such as https://example.com/path',
  meant: text => (/^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:\/\S*)?$/.test(text) ? `https://${text}` : undefined),
}

export const longestHost = 253
export const hostName: Text = {
  type: 'text',
  longest: longestHost,
  pattern: /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/,
  expected: 'a name of lower-case letters, digits and dashes, such as test.example.com',
  meant: meantHost,
}

/** `https://Shop.example.com/` → `shop.example.com` */
export function meantHost(text: string): string | undefined {
  const meant = text
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[:/].*$/, '')
  return meant !== text && (hostName.pattern as RegExp).test(meant) ? meant : undefined
}

export const wholeNumber = (minimum: number, maximum: number, expected: string): FieldType => ({
  type: 'number',
  minimum,
  maximum,
  expected,
})

export const command: CommandLine = { type: 'command' }

const timeLimitField: Field = { is: timeLimit, about: 'how long it may take; by default PT5M' }

export const check: Fields = {
  type: 'object',
  short: { is: command, as: 'run' },
  fields: {
    run: { is: command, required: true, about: 'program that ends with 0 when all is well' },
    timeLimit: timeLimitField,
  },
}

/** One of the same type for each environment. */
export const environmentsField = (
  fields: Fields['fields'],
  example: string,
  about: string,
  foreign: Fields['foreign'],
): Fields['fields'] => ({
  environments: {
    is: {
      type: 'map',
      ...namedKeys,
      keyName: 'environment',
      keyRule: nameRule,
      example,
      values: {
        type: 'object',
        fields: {
          extends: { is: name, about: 'the environment that this one is like, but for what stands here' },
          ...fields,
        },
        mayBeEmpty: true,
        patch: true,
        foreign: { ...foreign, name: 'it is the same in all environments' },
      },
    },
    about,
  },
})
