// Addresses that no endpoint has: whoever may write endpoints would reach through them what listens to the machine alone.
// Pure. Source: Kubernetes, ValidateEndpointIP.
import { addressInRange } from '../../lib/ipv4.ts'
import { invalidValue, type FieldError } from '../field-error.ts'
import { isIPv4, isIPv6 } from './formats.ts'

interface Special {
  readonly message: string
  readonly range: string
  /** Of IPv6, by how it is written. */
  readonly other: RegExp
}

const special: readonly Special[] = [
  { message: 'may not be unspecified (0.0.0.0 or ::)', range: '0.0.0.0/32', other: /^[0:]+$/ },
  {
    message: 'may not be in the loopback range (127.0.0.0/8, ::1/128)',
    range: '127.0.0.0/8',
    other: /^[0:]+:0*1$/,
  },
  {
    message: 'may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    range: '169.254.0.0/16',
    other: /^fe[89ab][0-9a-f]:/i,
  },
  {
    message: 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    range: '224.0.0.0/24',
    other: /^ff02:/i,
  },
]

/** @param address of what is none, nothing is said */
export const validateEndpointAddress = (address: string, field: string): FieldError[] =>
  special
    .filter(({ range, other }) =>
      isIPv4(address) ? addressInRange(address, range) : isIPv6(address) && other.test(address),
    )
    .map(({ message }) => invalidValue(field, address, message))
