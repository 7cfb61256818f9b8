import { describe, expect, test } from 'vitest'
import type { Flow } from '../host/connection-tracking.ts'
import type { Backend, PortRule } from './service-rules.ts'
import { mayLeaveFlows, staleFlows } from './stale-flows.ts'

const here = { podCidr: '10.42.0.0/16', isNodePortAddress: (address: string) => address === '127.0.0.1' }
const one: Backend = { address: '10.42.0.1', port: 53 }
const two: Backend = { address: '10.42.0.2', port: 53 }

const ruleOf = (serving: readonly Backend[], change: Partial<PortRule> = {}): PortRule => ({
  chain: 'service/n/names/udp/5300',
  protocol: 'udp',
  addresses: ['10.43.0.20'],
  port: 5300,
  nodePort: 30_053,
  sticky: false,
  backends: serving,
  serving,
  ...change,
})
const flow = (address: string, port: number, target: string, targetPort: number, protocol = 'udp'): Flow => ({
  protocol,
  address,
  port,
  target,
  targetPort,
})

describe('a connection', () => {
  test.each<[string, Flow, readonly PortRule[], boolean]>([
    ['to a backend that serves goes on', flow('10.43.0.20', 5300, '10.42.0.1', 53), [ruleOf([one])], false],
    ['to one that is gone is stale', flow('10.43.0.20', 5300, '10.42.0.1', 53), [ruleOf([two])], true],
    ['to one that is gone, without another, is stale', flow('10.43.0.20', 5300, '10.42.0.1', 53), [ruleOf([])], true],
    [
      'to one that ends and still serves goes on',
      flow('10.43.0.20', 5300, '10.42.0.1', 53),
      [ruleOf([one, two], { backends: [two] })],
      false,
    ],
    ['to another port of a backend is stale', flow('10.43.0.20', 5300, '10.42.0.1', 54), [ruleOf([one])], true],
    ['older than the first backend is stale', flow('10.43.0.20', 5300, '10.43.0.20', 5300), [ruleOf([one])], true],
    [
      'older than the first backend stays until there is one',
      flow('10.43.0.20', 5300, '10.43.0.20', 5300),
      [ruleOf([])],
      false,
    ],
    ['to a node port, to a backend that serves', flow('127.0.0.1', 30_053, '10.42.0.1', 53), [ruleOf([one])], false],
    ['to a node port, to one that is gone', flow('127.0.0.1', 30_053, '10.42.0.1', 53), [ruleOf([two])], true],
    ['to a node port, older than it', flow('127.0.0.1', 30_053, '127.0.0.1', 30_053), [ruleOf([one])], true],
    [
      'to the same port of another machine is none of ours',
      flow('192.0.2.7', 30_053, '192.0.2.7', 30_053),
      [ruleOf([one])],
      false,
    ],
    ['whose service is gone is stale', flow('10.43.0.20', 5300, '10.42.0.1', 53), [], true],
    ['that is not translated and of no service is none of ours', flow('9.9.9.9', 53, '9.9.9.9', 53), [], false],
    ['to a pod itself is none of ours', flow('10.42.0.1', 53, '10.42.0.1', 53), [ruleOf([two])], false],
    ['that others translated is none of ours', flow('192.0.2.1', 53, '172.17.0.2', 53), [], false],
    [
      'of another protocol does not count as its',
      flow('10.43.0.20', 5300, '10.42.0.1', 53, 'sctp'),
      [ruleOf([one])],
      true,
    ],
  ])('%s', (_what, connection, rules, isStale) => {
    expect(staleFlows([connection], rules, here)).toEqual(isStale ? [connection] : [])
  })

  test('of a kind is named once, whoever sends', () => {
    const dead = flow('10.43.0.20', 5300, '10.42.0.9', 53)
    expect(staleFlows([dead, { ...dead }, { ...dead }], [ruleOf([one])], here)).toEqual([dead])
  })

  test('serves two that claim the same place if one of them serves it', () => {
    const rules = [ruleOf([one]), ruleOf([two], { chain: 'service/n/other/udp/5300' })]
    expect(staleFlows([flow('10.43.0.20', 5300, '10.42.0.2', 53)], rules, here)).toEqual([])
  })
})

describe('a change may leave some behind', () => {
  test.each<[string, readonly PortRule[] | undefined, readonly PortRule[] | undefined, boolean]>([
    ['when a backend goes', [ruleOf([one])], [ruleOf([])], true],
    ['when the first one comes', [ruleOf([])], [ruleOf([one])], true],
    ['when a service comes', undefined, [ruleOf([one])], true],
    ['when a service goes', [ruleOf([one])], undefined, true],
    ['when it gets a node port', [ruleOf([one], { nodePort: undefined })], [ruleOf([one])], true],
    ['when one that gets nothing new stops serving', [ruleOf([one, two], { backends: [two] })], [ruleOf([two])], true],
    ['but not when nothing changes', [ruleOf([one])], [ruleOf([one])], false],
    ['but not over TCP', [ruleOf([one], { protocol: 'tcp' })], [ruleOf([], { protocol: 'tcp' })], false],
  ])('%s', (_when, before, after, expected) => {
    expect(mayLeaveFlows(before, after)).toBe(expected)
  })
})
