// Scripts are run against a small model of the kernel's table that refuses what the kernel refuses: an
// element that is there already under another verdict, one deleted that is not there, a chain removed while
// an element still leads to it.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changes, wholeTable, type TableFacts } from './nftables-script.ts'
import type { Backend, PortRule } from './service-rules.ts'

const facts: TableFacts = {
  table: 't',
  podCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  linkName: 'link0',
  nodePortRanges: ['0.0.0.0/0', '10.42.255.254'],
}

class Table {
  readonly sets = new Map<string, Map<string, string>>(
    ['services', 'node-ports', 'unserved', 'unserved-node-ports', 'hairpins'].map(name => [name, new Map()]),
  )
  readonly chains = new Map<string, string[]>()

  run(script: string): this {
    for (const line of script.split('\n').filter(text => text !== '')) this.line(line)
    for (const elements of this.sets.values()) {
      for (const verdict of elements.values())
        if (verdict !== '' && !this.chains.has(verdict.replace('goto ', '')))
          throw new Error(`${verdict}: there is no such chain`)
    }
    return this
  }

  private line(line: string): void {
    const element = /^(add|delete) element ip t (\S+) \{ (.*) \}$/.exec(line)
    if (element !== null) return this.elements(element[1]!, element[2]!, element[3]!.split(', '))
    const chain = /^(add|flush|delete) chain ip t (\S+)$/.exec(line)
    if (chain !== null) return this.chain(chain[1]!, chain[2]!)
    const rule = /^add rule ip t (\S+) (.*)$/.exec(line)
    if (rule === null) throw new Error(`the model does not know: ${line}`)
    const rules = this.chains.get(rule[1]!)
    if (rules === undefined) throw new Error(`no chain ${rule[1]}`)
    rules.push(rule[2]!)
  }

  private elements(verb: string, name: string, texts: readonly string[]): void {
    const set = this.sets.get(name)
    if (set === undefined) throw new Error(`no set ${name}`)
    for (const text of texts) {
      const [key = '', verdict = ''] = text.split(' : ')
      if (verb === 'add' && set.has(key)) throw new Error(`${name} has ${key} already`)
      if (verb === 'delete' && set.get(key) !== verdict) throw new Error(`${name} has no ${text}`)
      if (verb === 'add') set.set(key, verdict)
      else set.delete(key)
    }
  }

  private chain(verb: string, name: string): void {
    if (verb === 'add' ? this.chains.has(name) : !this.chains.has(name)) throw new Error(`cannot ${verb} chain ${name}`)
    if (verb === 'delete' && [...this.sets.values()].some(set => [...set.values()].includes(`goto ${name}`)))
      throw new Error(`chain ${name} is in use`)
    if (verb === 'delete') this.chains.delete(name)
    else this.chains.set(name, [])
  }

  /** Independent of the order in which things were made. */
  contents(): unknown {
    const sorted = (map: Map<string, unknown>): unknown[] => [...map].sort(([left], [right]) => (left < right ? -1 : 1))
    return [...[...this.sets].map(([name, set]) => [name, sorted(set)]), sorted(this.chains)]
  }
}

/** The model starts where the base of the table ends. */
const fromWhole = (rules: readonly PortRule[]): Table =>
  new Table().run(wholeTable(facts, rules).split('\n}\n').at(-1)!)

const backend: fc.Arbitrary<Backend> = fc.record({
  address: fc.integer({ min: 1, max: 4 }).map(last => `10.42.0.${last}`),
  port: fc.constantFrom(8080, 9090),
})
const backends = fc.uniqueArray(backend, { maxLength: 3, selector: ({ address, port }) => `${address}:${port}` })

const ranges = fc.array(fc.constantFrom('192.0.2.0/24', '192.0.2.128/25', '192.0.2.7', '198.51.100.0/24'), {
  maxLength: 4,
})
/** Few addresses and ports, so that services get in each other's way often. */
const rule = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c'),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    port: fc.constantFrom(80, 81),
    addresses: fc.uniqueArray(fc.constantFrom('10.43.0.1', '10.43.0.2', '192.0.2.1'), { minLength: 1 }),
    nodePort: fc.option(fc.constantFrom(30_000, 30_001), { nil: undefined }),
    backends,
    sticky: fc.boolean(),
    places: fc.option(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 3, maxLength: 3 }), { nil: undefined }),
    sources: fc.option(fc.record({ allow: fc.array(ranges, { maxLength: 2 }), deny: ranges }), { nil: undefined }),
  })
  .map(({ name, places, sources, ...rest }): PortRule => ({
    chain: `service/n/${name}/${rest.protocol}/${rest.port}`,
    serving: rest.backends,
    ...rest,
    ...(places && { places: places.slice(0, rest.backends.length) }),
    ...(sources && { sources }),
  }))
const ruleSet = fc.uniqueArray(rule, { selector: ({ chain }) => chain, maxLength: 8 })
const plainRuleSet = ruleSet.map(rules =>
  rules.map(({ places: _places, sources: _sources, ...plain }): PortRule => plain),
)

describe('whatever changes', () => {
  test('the change leads to the same table as writing it anew', () => {
    fc.assert(
      fc.property(ruleSet, ruleSet, (before, after) => {
        expect(
          fromWhole(before)
            .run(changes('t', before, after))
            .contents(),
        ).toEqual(fromWhole(after).contents())
      }),
      { numRuns: 1000 },
    )
  })

  test('so does any row of changes', () => {
    fc.assert(
      fc.property(fc.array(ruleSet, { minLength: 2, maxLength: 5 }), steps => {
        const table = fromWhole(steps[0]!)
        for (let index = 1; index < steps.length; index++) table.run(changes('t', steps[index - 1]!, steps[index]!))
        expect(table.contents()).toEqual(fromWhole(steps.at(-1)!).contents())
      }),
    )
  })

  test('the order in which rules are given means nothing', () => {
    fc.assert(
      fc.property(ruleSet, rules => {
        expect(fromWhole(rules.toReversed()).contents()).toEqual(fromWhole(rules).contents())
      }),
    )
  })

  test('nothing is done when nothing changed', () => {
    fc.assert(
      fc.property(ruleSet, rules => {
        expect(changes('t', rules, structuredClone(rules))).toBe('')
      }),
    )
  })

  test('every address of a service either leads somewhere or refuses, and by itself exactly when it has backends', () => {
    fc.assert(
      fc.property(plainRuleSet, rules => {
        const { sets } = fromWhole(rules)
        const alone = rules.map(one => fromWhole([one]))
        for (const [index, { addresses, protocol, port, backends: targets }] of rules.entries()) {
          for (const key of addresses.map(address => `${address} . ${protocol} . ${port}`)) {
            expect(sets.get('services')!.has(key)).not.toBe(sets.get('unserved')!.has(key))
            expect(alone[index]!.sets.get('services')!.has(key)).toBe(targets.length > 0)
          }
        }
      }),
    )
  })
})

describe('a chain', () => {
  const web: PortRule = {
    chain: 'service/n/web/tcp/80',
    protocol: 'tcp',
    addresses: ['10.43.0.1'],
    port: 80,
    nodePort: undefined,
    sticky: false,
    backends: [
      { address: '10.42.0.1', port: 8080 },
      { address: '10.42.0.2', port: 8081 },
    ],
    serving: [],
  }
  const ruleOf = (change: Partial<PortRule>): string | undefined =>
    fromWhole([{ ...web, ...change }]).chains.get(web.chain)?.[0]

  test.each<[string, Partial<PortRule>, string | undefined]>([
    [
      'chooses at random',
      {},
      'meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.42.0.1 . 8080, 1 : 10.42.0.2 . 8081 }',
    ],
    [
      'chooses by the client when asked to',
      { sticky: true },
      'meta l4proto tcp dnat ip to jhash ip saddr mod 2 map { 0 : 10.42.0.1 . 8080, 1 : 10.42.0.2 . 8081 }',
    ],
    [
      'does not choose from one',
      { backends: [{ address: '10.42.0.1', port: 8080 }] },
      'meta l4proto tcp dnat to 10.42.0.1:8080',
    ],
    ['is not there without backends', { backends: [] }, undefined],
  ])('%s', (_what, change, text) => {
    expect(ruleOf(change)).toBe(text)
  })

  test('has places for each backend, and what is left of them is refused, as those are who may not send', () => {
    const table = fromWhole([
      {
        ...web,
        places: [250, 1],
        sources: { allow: [['10.0.0.0/8', '10.1.0.0/16'], []], deny: ['10.2.0.0/16', '10.2.0.0/16'] },
      },
    ])
    expect(table.chains.get(web.chain)).toEqual([
      'ip saddr { 10.2.0.0/16 } return',
      'ip saddr != { 10.0.0.0/8 } return',
      'return',
      'meta l4proto tcp dnat ip to numgen random mod 1000 map { 0-249 : 10.42.0.1 . 8080, 250 : 10.42.0.2 . 8081 }',
    ])
    expect(table.sets.get('services')!.has('10.43.0.1 . tcp . 80')).toBe(true)
    expect(table.sets.get('unserved')!.has('10.43.0.1 . tcp . 80')).toBe(true)
  })

  test('only the chain is written anew when only backends change', () => {
    const script = changes('t', [web], [{ ...web, backends: [web.backends[0]!] }])
    expect(script).toBe(
      'flush chain ip t service/n/web/tcp/80\nadd rule ip t service/n/web/tcp/80 meta l4proto tcp dnat to 10.42.0.1:8080\ndelete element ip t hairpins { 10.42.0.2 . 10.42.0.2 }\n',
    )
  })
})

// The kernel itself is asked where that is possible: as root with nftables, in a table of its own.
const nft = ['/usr/sbin/nft', '/sbin/nft'].find(file => existsSync(file))
describe.skipIf(nft === undefined || process.getuid?.() !== 0)('the kernel', () => {
  test('takes every script', () => {
    const table = `sampan-test-${randomUUID().slice(0, 8)}`
    const run = (script: string): string =>
      execFileSync(nft!, ['-f', '-'], { input: script, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
    const sets = fc.sample(ruleSet, { numRuns: 30, seed: 1 })
    try {
      // Addresses that no machine has, so that nothing else is touched: the table only rewrites those.
      run(
        wholeTable(
          {
            ...facts,
            table,
            nodePortRanges: ['192.0.2.254', '192.0.2.0/24'],
            podCidr: '198.51.100.0/24',
            serviceCidr: '203.0.113.0/24',
          },
          sets[0]!,
        ),
      )
      for (let index = 1; index < sets.length; index++) run(changes(table, sets[index - 1]!, sets[index]!))
      expect(execFileSync(nft!, ['list', 'table', 'ip', table], { encoding: 'utf8' })).toContain('chain dispatch')
    } finally {
      run(`add table ip ${table}\ndelete table ip ${table}\n`)
    }
  })
})
