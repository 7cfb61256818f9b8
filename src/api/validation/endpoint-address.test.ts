import { expect, test } from 'vitest'
import { validateEndpointAddress } from './endpoint-address.ts'

test.each([
  ['10.0.0.7', undefined],
  ['2001:db8::7', undefined],
  ['not an address', undefined],
  ['0.0.0.0', 'may not be unspecified (0.0.0.0 or ::)'],
  ['127.0.0.2', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['::1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ['169.254.1.1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  ['fe80::1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  ['224.0.0.9', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
])('of %s it is said: %s', (address, message) => {
  const errors = validateEndpointAddress(address, 'endpoints[0].addresses[0]')
  expect(errors.map(error => error.message)).toEqual(
    message === undefined ? [] : [`Invalid value: "${address}": ${message}`],
  )
})
