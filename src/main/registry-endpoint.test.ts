// Where the registry listens for others.
import { expect, test } from 'vitest'
import { registryEndpoint } from './registry-endpoint.ts'

const machine = ['127.0.0.1', '192.0.2.7', '10.42.0.9']
const endpoint = (text: string | undefined, names: readonly string[] = []): ReturnType<typeof registryEndpoint> =>
  registryEndpoint(text, names, machine, '10.42.0.0/16')

test('nowhere, unless it is said', () => {
  expect(endpoint(undefined)).toBe(undefined)
})

test('on all addresses, and its certificate vouches for those that are not of pods', () => {
  expect(endpoint('0.0.0.0:5000', ['registry.example.com', '198.51.100.1'])).toEqual({
    host: '0.0.0.0',
    port: 5000,
    addresses: ['127.0.0.1', '192.0.2.7', '198.51.100.1'],
    names: ['registry.example.com'],
  })
})

test('on one address', () => {
  expect(endpoint('192.0.2.7:0')).toMatchObject({ host: '192.0.2.7', port: 0, addresses: ['127.0.0.1', '192.0.2.7'] })
})

test.each(['5000', ':5000', 'example.com:5000', '192.0.2.7', '192.0.2.7:66000', '[::1]:5000'])('not at "%s"', text => {
  expect(() => endpoint(text)).toThrow(`such as 0.0.0.0:5000, found "${text}"`)
})
