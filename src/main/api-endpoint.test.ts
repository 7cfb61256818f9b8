import { describe, expect, test } from 'vitest'
import { apiEndpoint, type EndpointOptions } from './api-endpoint.ts'

const endpoint = (options: EndpointOptions): ReturnType<typeof apiEndpoint> =>
  apiEndpoint(options, ['10.42.255.254'], ['127.0.0.1', '192.168.1.7', '10.42.0.1'], '10.42.0.0/16')

describe('the API', () => {
  test('is reached from the machine and its pods unless asked otherwise', () => {
    expect(endpoint({})).toEqual({
      listen: ['127.0.0.1', '10.42.255.254'],
      addresses: ['127.0.0.1', '10.42.255.254'],
      names: [],
    })
  })

  test('listens on one more address, once', () => {
    expect(endpoint({ bindAddress: '192.168.1.7' }).listen).toEqual(['127.0.0.1', '10.42.255.254', '192.168.1.7'])
    expect(endpoint({ bindAddress: '127.0.0.1' }).listen).toEqual(['127.0.0.1', '10.42.255.254'])
  })

  test('listens everywhere; its certificate vouches for every address but those on the links of pods', () => {
    expect(endpoint({ bindAddress: '0.0.0.0' })).toEqual({
      listen: ['0.0.0.0'],
      addresses: ['127.0.0.1', '10.42.255.254', '192.168.1.7'],
      names: [],
    })
  })

  test('has other names', () => {
    expect(endpoint({ tlsSan: ['sampan.example', '203.0.113.5', '*.ci.example'] })).toMatchObject({
      addresses: ['127.0.0.1', '10.42.255.254', '203.0.113.5'],
      names: ['sampan.example', '*.ci.example'],
    })
  })

  test('says what is no address and no name', () => {
    expect(() => endpoint({ bindAddress: 'eth0' })).toThrow('expected --bind-address with an IPv4 address')
    expect(() => endpoint({ tlsSan: ['https://x'] })).toThrow('expected --tls-san with the name of a host')
  })
})
