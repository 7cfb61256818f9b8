// The formats of strings that Kubernetes checks in custom resources; others are ignored. Which there are:
// apiextensions-apiserver pkg/apiserver/validation/formats.go; what they mean: kube-openapi strfmt.
import { checkLabel, checkSubdomain, isIP, isIPv4, isIPv6 } from '../validation/formats.ts'

export type FormatCheck = (text: string) => boolean

const matches =
  (pattern: RegExp): FormatCheck =>
  text =>
    pattern.test(text)
const uuid = (version: string, variant: string): FormatCheck =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}-?${variant}-?[0-9a-f]{12}$`, 'i'))
const anyGroup = '[0-9a-f]{4}'
const octet = String.raw`\s*(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])\s*`

const digitsOf = (text: string): number[] =>
  Array.from(text.replaceAll(/[\s-]/g, ''), digit => (digit === 'X' ? 10 : Number(digit)))

function isIsbn10(text: string): boolean {
  return (
    /^(?:\d[\s-]?){9}[\dX]$/.test(text) &&
    digitsOf(text).reduce((sum, digit, index) => sum + digit * (index + 1), 0) % 11 === 0
  )
}

function isIsbn13(text: string): boolean {
  return (
    /^(?:\d[\s-]?){12}\d$/.test(text) &&
    digitsOf(text).reduce((sum, digit, index) => sum + digit * (index % 2 === 0 ? 1 : 3), 0) % 10 === 0
  )
}

const cardPattern =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/

/** With the check digit of Luhn. */
function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '')
  const sum = Array.from(digits)
    .toReversed()
    .reduce((total, digit, index) => {
      const value = Number(digit) * (index % 2 === 1 ? 2 : 1)
      return total + (value > 9 ? value - 9 : value)
    }, 0)
  return cardPattern.test(digits) && sum % 10 === 0
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t')
  const match = /^(\d\d):(\d\d):(\d\d)(?:.\d+)?(?:z|[+-]\d\d:\d\d)$/.exec(time)
  return isDate(date) && match !== null && Number(match[1]) < 24 && Number(match[2]) < 60 && Number(match[3]) < 60
}

const goDuration = /^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const longDuration =
  /^\s*(?:\d+(?:\.\d+)?\s*(?:ns|nanos?|nanoseconds?|us|µs|μs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|wks?)\s*)+$/i

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  return more.length === 0 && isIP(address) && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128)
}

const macPattern =
  /^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}(?:(?:[0-9a-f]{2}\1){2}|(?:[0-9a-f]{2}\1){14})?[0-9a-f]{2}|[0-9a-f]{4}\.(?:[0-9a-f]{4}\.){1}(?:[0-9a-f]{4}\.)?(?:(?:[0-9a-f]{4}\.){6,7})?[0-9a-f]{4})$/i

const hostCharacter = String.raw`[a-zA-Z0-9\p{S}\p{L}]`
const hostPattern = new RegExp(
  String.raw`^(?:${hostCharacter}(?:-?${hostCharacter}{0,62})?|(?:${hostCharacter}(?:[a-zA-Z0-9\p{S}\p{L}-]{0,61}${hostCharacter})?\.)+${hostCharacter}(?:-?${hostCharacter}){1,62})$`,
  'u',
)
const isHostname: FormatCheck = text =>
  text.length <= 255 && text.split('.').every(part => part.length <= 63) && hostPattern.test(text)

const formats: Readonly<Record<string, FormatCheck>> = {
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  uri: matches(/^(?:[a-zA-Z][a-zA-Z0-9+.-]*:(?:\/\/)?[^\s]+|\/[^\s]*)$/),
  email: matches(/^(?:[^<>@]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/),
  hostname: isHostname,
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: matches(macPattern),
  uuid: uuid(anyGroup, anyGroup),
  uuid3: uuid('3[0-9a-f]{3}', anyGroup),
  uuid4: uuid('4[0-9a-f]{3}', '[89ab][0-9a-f]{3}'),
  uuid5: uuid('5[0-9a-f]{3}', '[89ab][0-9a-f]{3}'),
  isbn: text => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matches(/^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i),
  rgbcolor: matches(new RegExp(String.raw`^rgb\(${octet},${octet},${octet}\)$`)),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/),
  password: () => true,
  date: isDate,
  datetime: isDateTime,
  duration: text => goDuration.test(text) || longDuration.test(text),
  k8sshortname: text => checkLabel(text).length === 0,
  k8slongname: text => checkSubdomain(text).length === 0,
}

/** By name, with or without dashes; undefined: not checked. */
export function stringFormat(name: string): FormatCheck | undefined {
  const bare = name.replaceAll('-', '')
  return Object.hasOwn(formats, bare) ? formats[bare] : undefined
}
