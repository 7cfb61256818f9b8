// Tables are written as people write them and read back from the kernel's own listing, in a network namespace
// of their own; without root they are skipped.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cutOffBy } from './cut-off.ts'

const facts = { linkName: 'sampan42', podCidr: '10.42.0.0/16', nodeAddress: '10.42.255.254' }
const forward = ['pods from each other', 'pods from services', 'pods from what is outside']
const input = ['pods from names and the API', 'the machine from what pods answer']

const nft = ['/usr/sbin/nft', '/sbin/nft'].find(file => existsSync(file))
const reason = nft === undefined ? 'nft is missing' : process.getuid?.() === 0 ? undefined : 'needs root'

describe.skipIf(reason !== undefined)(`a table${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  const namespace = `sampan-test-${randomUUID().slice(0, 8)}`
  beforeAll(() => void execFileSync('ip', ['netns', 'add', namespace]))
  afterAll(() => void execFileSync('ip', ['netns', 'delete', namespace]))

  const run = (args: readonly string[], script?: string): string =>
    execFileSync('nsenter', [`--net=/var/run/netns/${namespace}`, nft!, ...args], { input: script, encoding: 'utf8' })

  function look(table: string, skipped?: readonly string[]): ReturnType<typeof cutOffBy> {
    const [family, name] = ['inet', 'filter']
    run(['-f', '-'], `flush ruleset\ntable inet filter {\n${table}\n}\n`)
    const listing = JSON.parse(run(['-j', '-t', 'list', 'table', family, name])) as Parameters<typeof cutOffBy>[1]
    return cutOffBy({ family, name }, listing, facts, skipped)
  }
  const chain = (hook: string, ...rules: string[]): string =>
    `chain ${hook} { type filter hook ${hook} priority filter; policy drop; ${rules.join('; ')}; }`

  test.each<[string, string, readonly string[]]>([
    ['that denies forwarding', chain('forward'), forward],
    ['that denies what comes in', chain('input', 'iif lo accept', 'tcp dport 22 accept'), input],
    [
      'that lets connections go on',
      chain('input', 'ct state established,related accept', 'ct state invalid drop', 'ip protocol icmp accept'),
      ['pods from names and the API'],
    ],
    ['that lets what is translated through', chain('forward', 'ct status dnat accept'), [forward[0]!, forward[2]!]],
    ['that accepts other addresses', chain('forward', 'ip saddr { 10.0.0.0/24, 10.1.0.0-10.1.0.9 } accept'), forward],
    ['that accepts other protocols', chain('forward', 'ip6 saddr ::/0 accept', 'meta l4proto icmp accept'), forward],
    ['that accepts what has a mark', chain('forward', 'meta mark 1 accept', 'limit rate 1/second accept'), forward],
    ['that accepts by map what is something else', chain('forward', 'ct state vmap { established : accept }'), forward],
    [
      'that rejects in another chain',
      `chain rest { reject with icmpx type admin-prohibited; }
       chain forward { type filter hook forward priority filter; ct state invalid drop; goto rest; }`,
      forward,
    ],
    ['that denies what leaves the machine', chain('output', 'oif lo accept'), ['pods from the machine']],
  ])('%s cuts off', (_which, table, expected) => {
    expect(look(table)?.what).toEqual(expected)
  })

  test.each<[string, string]>([
    ['that denies nothing', 'chain forward { type filter hook forward priority filter; ip saddr 192.0.2.1 drop; }'],
    ['that names pods by address', chain('forward', 'ip saddr 10.0.0.0/8 accept')],
    ['that names pods by link', chain('forward', 'iifname { "eth1", "veth*" } accept')],
    ['that denies others', chain('forward', 'ip saddr != 10.42.0.0/16 drop', 'accept')],
    [
      'that accepts in another chain',
      `chain zone { ct direction original return; ip saddr 10.42.0.0/16 accept; }
       ${chain('forward', 'ip saddr vmap { 10.42.0.0/16 : jump zone }', 'iifname "veth*" accept')}`,
    ],
    ['that is about addresses', 'chain prerouting { type nat hook prerouting priority dstnat; }'],
  ])('%s cuts nothing off', (_which, table) => {
    expect(look(table)).toBeUndefined()
  })

  test('is put right by the rules that people are told to add', () => {
    const table = [chain('forward'), chain('input', 'iif lo accept'), chain('output')].join('\n')
    const found = look(table)
    expect(found?.what).toEqual([...forward, ...input, 'pods from the machine'])
    run([/^nft '(.*)'$/.exec(found!.command)![1]!])
    const listing = JSON.parse(run(['-j', 'list', 'table', 'inet', 'filter'])) as Parameters<typeof cutOffBy>[1]
    expect(cutOffBy({ family: 'inet', name: 'filter' }, listing, facts)).toBeUndefined()
  })

  test('of firewalld is told in the words of firewalld; chains that are cared for are not looked at', () => {
    const rules = { nftables: [{ chain: { name: 'filter_FORWARD', hook: 'forward', type: 'filter', policy: 'drop' } }] }
    expect(cutOffBy({ family: 'inet', name: 'firewalld' }, rules, facts)?.command).toBe(
      'firewall-cmd --permanent --zone=trusted --add-source=10.42.0.0/16 && firewall-cmd --reload',
    )
    expect(cutOffBy({ family: 'ip', name: 'filter' }, rules, facts, ['filter_FORWARD'])).toBeUndefined()
  })
})
