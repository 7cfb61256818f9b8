// What changes while HAProxy runs, and what it has to be loaded for.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Balancing } from '../model/balancing.ts'
import type { Action, GatewayModel, Handling, HostName, Rule, Server } from '../model/model.ts'
import { changeTo, loaded, resolved, type Change, type Running } from './change.ts'
import { filesOf } from './files.ts'
import { layoutOf, type Layout } from './layout.ts'

const places = {
  directory: '/gateway',
  socket: '/run/gateway.sock',
  mirrorSocket: '/run/mirror.sock',
  successorDirectory: '/run/next',
  loginSocket: '/run/logins.sock',
  logSocket: '/run/log.sock',
}

const forward = (...shares: [backend: string, weight: number][]): Action => ({
  shares: shares.map(([backend, weight]) => ({ backend, weight })),
})
const rule = (path: string, action: Action, more: Partial<Rule['match']> = {}): Rule => ({
  source: `Ingress test/${path}`,
  match: { path: { kind: 'prefix', value: path }, headers: [], query: [], ...more },
  action,
})
const server = (last: number, draining = false): Server => ({ address: `10.0.0.${last}`, port: 80, draining })

interface Shown {
  readonly id: string
  readonly pem: string
  readonly to?: HostName
}
const exact = (name: string): HostName => ({ kind: 'exact', name })
const everybody = { id: 'own_localhost', pem: 'OWN\n', to: { kind: 'any' } } as const

function layout(
  rules: readonly Rule[],
  backends: Record<string, readonly Server[]>,
  name: HostName = { kind: 'exact', name: 'shop.localhost' },
  handling: Readonly<Record<string, Handling>> = {},
  shown: readonly Shown[] = [],
  balancing: Readonly<Record<string, Omit<Balancing, 'source'>>> = {},
): Layout {
  const hosts = [{ name, listener: '', rules }]
  const tls = { certificates: shown.map(({ id, to }) => ({ id, ...(to !== undefined && { to }) })) }
  const model: GatewayModel = {
    entrances: [
      { address: '127.0.0.1', port: 80, hosts },
      ...(shown.length === 0 ? [] : [{ address: '127.0.0.1', port: 443, tls, hosts }]),
    ],
    backends: new Map(
      Object.entries(backends).map(([id, servers]) => [
        id,
        {
          id,
          handling: handling[id] ?? {},
          protocol: 'http',
          ...(balancing[id] !== undefined && { balancing: { source: 'BalancingPolicy t/b', ...balancing[id] } }),
          servers,
        },
      ]),
    ),
    credentials: new Map(),
    certificates: new Map(shown.map(({ id, pem }) => [id, { id, pem }])),
  }
  return layoutOf(model, places)
}

const before = layout([rule('/', forward(['t.web.80', 1]))], { 't.web.80': [server(1)] })

function commands(change: Change): readonly string[] {
  if (change.kind !== 'commands') throw new Error(`it is ${change.kind}`)
  return change.steps.flatMap(step => {
    if ('files' in step) return []
    return 'commands' in step ? step.commands : [`replace ${step.map}`]
  })
}
const after = (wanted: Layout): readonly string[] => commands(changeTo(loaded(before), wanted))

describe('while it runs,', () => {
  test('nothing is said when nothing changed', () => {
    expect(changeTo(loaded(before), before)).toEqual({ kind: 'none' })
  })

  test('instances come, are led to less, and go', () => {
    expect(after(layout([rule('/', forward(['t.web.80', 1]))], { 't.web.80': [server(1, true), server(2)] }))).toEqual([
      'set server t.web.80/s_10-0-0-1_80 state drain',
      'add server t.web.80/s_10-0-0-2_80 10.0.0.2:80',
      'set server t.web.80/s_10-0-0-2_80 state ready',
    ])
    expect(after(layout([rule('/', forward(['t.web.80', 1]))], { 't.web.80': [] }))).toEqual([
      'set server t.web.80/s_10-0-0-1_80 state maint',
    ])
  })

  test('an instance that comes back before it has gone is led to again', () => {
    const gone = changeTo(loaded(before), layout([rule('/', forward(['t.web.80', 1]))], { 't.web.80': [] }))
    if (gone.kind !== 'commands') throw new Error(gone.kind)
    expect(commands(changeTo(gone.next, before))).toEqual(['set server t.web.80/s_10-0-0-1_80 state ready'])
  })

  test('a service that is new takes the place of a spare one before anything leads there', () => {
    const wanted = layout([rule('/api', forward(['t.api.80', 1])), rule('/', forward(['t.web.80', 1]))], {
      't.web.80': [server(1)],
      't.api.80': [server(2)],
    })
    expect(after(wanted)).toEqual([
      'add server spare-0/s_10-0-0-2_80 10.0.0.2:80',
      'set server spare-0/s_10-0-0-2_80 state ready',
      'add map /gateway/maps/127.0.0.1_80-paths.map shop.localhost/api/ spare-0',
    ])
  })

  test('weights are other places of the same share', () => {
    const shared = (first: number, second: number): Layout =>
      layout([rule('/', forward(['a', first], ['b', second]))], { a: [server(1)], b: [server(2)] })
    const steps = commands(changeTo(loaded(shared(90, 10)), shared(80, 20)))
    expect(steps).toHaveLength(100)
    expect(
      steps.every(command => /^set map \/gateway\/maps\/127\.0\.0\.1_80-shares\.map s_\w+\/\d+ b$/.test(command)),
    ).toBe(true)
  })

  test('shares are there before a rule leads to them, and until none does', () => {
    const alone = layout([rule('/', forward(['a', 1]))], { a: [server(1)], b: [server(2)] })
    const shared = layout([rule('/', forward(['a', 90], ['b', 10]))], { a: [server(1)], b: [server(2)] })
    const kinds = (from: Layout, to: Layout): string[] =>
      commands(changeTo(loaded(from), to)).map(command => (command.includes('-shares.map ') ? 'share' : 'rule'))
    const shares = Array.from({ length: 1000 }, () => 'share')
    expect(kinds(alone, shared)).toEqual([...shares, 'rule'])
    expect(kinds(shared, alone)).toEqual(['rule', ...shares])
    const none = layout([], { a: [server(1)], b: [server(2)] })
    expect(kinds(shared, none).lastIndexOf('rule')).toBeLessThan(kinds(shared, none).indexOf('share'))
  })

  test('names whose order says something come all at once', () => {
    const any = layout([rule('/', forward(['a', 1]))], { a: [] }, { kind: 'below', below: 'x.com' })
    const other = layout([rule('/', forward(['a', 1]))], { a: [] }, { kind: 'below', below: 'y.com' })
    expect(commands(changeTo(loaded(any), other))).toContain('replace /gateway/maps/127.0.0.1_80-below.map')
  })
})

describe('instances of a service that is balanced', () => {
  const balanced = (balancing: Omit<Balancing, 'source'>, ...servers: readonly Server[]): Layout =>
    layout([], { 't.web.80': servers }, undefined, {}, [], { 't.web.80': balancing })
  const coming = (balancing: Omit<Balancing, 'source'>): readonly string[] =>
    commands(changeTo(loaded(balanced(balancing, server(1))), balanced(balancing, server(1), server(2))))
  const name = 't.web.80/s_10-0-0-2_80'

  test('stand on the ring, in files and in commands', () => {
    const by = { choice: { by: 'address' } } as const
    const at = /id \d+/.exec(coming(by)[0]!)![0]
    expect(coming(by)[0]).toBe(`add server ${name} 10.0.0.2:80 weight 16 ${at}`)
    expect(filesOf(loaded(balanced(by, server(2)))).configuration).toContain(
      `server s_10-0-0-2_80 10.0.0.2:80 weight 16 ${at}`,
    )
  })

  test('are looked at, once more without anybody ejected', () => {
    const told = coming({ choice: 'roundRobin', ejection: { errors: 3, periodMs: 1000 } })
    expect(told.filter(command => !command.startsWith('add '))).toEqual([
      `enable health ${name}`,
      `set server ${name} state ready`,
      'set server t.web.80.all/s_10-0-0-2_80 state ready',
    ])
    expect(told).toContain('add server t.web.80.all/s_10-0-0-2_80 10.0.0.2:80')
  })

  test('have cookies before they get anything, and whoever has that of one that ends is led to another one', () => {
    const sticky = { choice: 'roundRobin', affinity: { cookie: 'at', key: 'k' } } as const
    expect(coming(sticky).slice(1)).toEqual([
      'enable dynamic-cookie backend t.web.80',
      `set server ${name} state ready`,
    ])
    const ending = changeTo(loaded(balanced(sticky, server(1))), balanced(sticky, server(1, true)))
    expect(commands(ending)).toEqual(['set server t.web.80/s_10-0-0-1_80 state maint'])
  })

  test('are balanced otherwise by a load, and in turns without one', () => {
    const before = loaded(layout([], { 't.web.80': [server(1)] }))
    expect(changeTo(before, balanced({ choice: 'leastConnections' }, server(1))).kind).toBe('load')
    expect(changeTo(before, balanced({ choice: 'roundRobin' }, server(1))).kind).toBe('none')
  })
})

describe('certificates', () => {
  const withTls = (...shown: Shown[]): Layout =>
    layout([rule('/', forward())], {}, exact('a.test'), {}, [everybody, ...shown])
  const list = '/gateway/certificates/127.0.0.1_443.list'
  const first = '/gateway/certificates/127.0.0.1_443.pem'
  const shop = { id: 'shop.tls', pem: 'ONE\n', to: exact('a.test') }
  const fileOfShop = [...withTls(shop).certificates.pems.keys()].at(-1)!
  const change = (before: Layout, wanted: Layout): Change => changeTo(loaded(before), wanted)

  test('stand in files, and in a list with the names that they are shown to; the first is for all others', () => {
    const { others } = filesOf(loaded(withTls(shop, { ...shop, to: { kind: 'below', below: 'B.test' } })))
    const inFolder = [...others].filter(([file]) => file.includes('/certificates/'))
    const file = [...others.keys()].find(each => each.includes('shop.tls'))
    expect(inFolder).toEqual([
      [first, 'OWN\n'],
      [file, 'ONE\n'],
      [list, `${first} [] !*\n${file} [] a.test *.b.test\n`],
    ])
    expect([...others.keys()].some(each => each.includes('443-hosts'))).toBe(true)
    expect(filesOf(loaded(withTls(shop))).configuration).toContain(`bind 127.0.0.1:443 ssl crt-list ${list} alpn h2,`)
  })

  test('of one name the first has it, and names that stand in a certificate need not be said', () => {
    const { lists } = withTls(
      shop,
      { id: 'other', pem: 'TWO\n', to: exact('a.test') },
      { id: 'all', pem: 'ALL\n' },
    ).certificates
    expect([...lists.get(list)!.values()]).toEqual(['!*', 'a.test', ''])
  })

  test('that are renewed get another content, also in their files', () => {
    const renewed = change(withTls(shop), withTls({ ...shop, pem: 'TWO\n' }))
    expect(commands(renewed)).toEqual([`set ssl cert ${fileOfShop} <<\nTWO\n`, `commit ssl cert ${fileOfShop}`])
    expect(renewed.kind === 'commands' && renewed.steps.at(-1)).toEqual({ files: new Map([[fileOfShop, 'TWO\n']]) })
  })

  test('that are new are there before anything leads to their host, and those that are gone go last', () => {
    expect(commands(change(withTls(), withTls(shop)))).toEqual([
      `new ssl cert ${fileOfShop}`,
      `set ssl cert ${fileOfShop} <<\nONE\n`,
      `commit ssl cert ${fileOfShop}`,
      `add ssl crt-list ${list} <<\n${fileOfShop} [] a.test\n`,
    ])
    const gone = change(withTls(shop), withTls())
    expect(commands(gone)).toEqual([`del ssl crt-list ${list} ${fileOfShop}`, `del ssl cert ${fileOfShop}`])
    expect(gone.kind === 'commands' && gone.steps.at(-1)).toEqual({
      files: new Map([
        [list, `${first} [] !*\n`],
        [fileOfShop, undefined],
      ]),
    })
  })

  test('that are too long for a command, and an entrance that has them for the first time, are loaded', () => {
    expect(change(withTls(shop), withTls({ ...shop, pem: 'X'.repeat(20_000) })).kind).toBe('load')
    expect(change(layout([], {}), withTls(shop)).kind).toBe('load')
  })

  test('an entrance without any is left out', () => {
    const hosts = [{ name: exact('a.test'), listener: '', rules: [] }]
    const model = { backends: new Map(), credentials: new Map(), certificates: new Map() }
    const entrance = { address: '127.0.0.1', port: 443, tls: { certificates: [] }, hosts }
    expect(layoutOf({ ...model, entrances: [entrance] }, places).skeleton).not.toContain('443')
  })
})

describe('it is loaded', () => {
  test('at first, for a condition that no rule had, and when there are no spare places left', () => {
    expect(changeTo(undefined, before).kind).toBe('load')
    const conditional = layout(
      [rule('/', forward(['t.web.80', 1]), { headers: [{ name: 'x', kind: 'exact', value: '1' }] })],
      { 't.web.80': [server(1)] },
    )
    expect(changeTo(loaded(before), conditional).kind).toBe('load')
    const many = Object.fromEntries(Array.from({ length: 33 }, (_each, index) => [`t.s${index}.80`, []]))
    expect(changeTo(loaded(before), layout([], { 't.web.80': [], ...many })).kind).toBe('load')
  })

  test('for a backend that does something with requests, or something else than before; not when it goes', () => {
    const handled = (handling: Readonly<Record<string, Handling>>): Layout =>
      layout([], { 't.web.80': [server(1)], 't.api.80': [] }, undefined, handling)
    const timed = handled({ 't.api.80': { timeoutMs: 100 } })
    expect(changeTo(loaded(layout([], { 't.web.80': [server(1)] })), timed).kind).toBe('load')
    expect(changeTo(loaded(timed), handled({ 't.api.80': { timeoutMs: 200 } })).kind).toBe('load')
    expect(changeTo(loaded(timed), handled({})).kind).toBe('load')
    expect(changeTo(loaded(timed), layout([], { 't.web.80': [server(1)] })).kind).toBe('none')
  })
})

test('however it gets there, it has the same as if it was loaded', () => {
  const some = fc.record({
    paths: fc.subarray(['/', '/a', '/b']),
    services: fc.dictionary(fc.constantFrom('s1', 's2', 's3'), fc.uniqueArray(fc.nat({ max: 3 })), { maxKeys: 3 }),
    weights: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 })),
    shown: fc.array(
      fc.record({
        id: fc.constantFrom('c1', 'c2', 'c3'),
        pem: fc.constantFrom('ONE\n', 'TWO\n'),
        to: fc.constantFrom<HostName>(
          exact('a.test'),
          exact('b.test'),
          { kind: 'one-label', below: 'test' },
          { kind: 'any' },
        ),
      }),
      { maxLength: 4 },
    ),
    timed: fc.subarray(['s1', 's2', 's4']),
    mirror: fc.constantFrom(undefined, 's1', 's3'),
    balanced: fc.dictionary(
      fc.constantFrom('s1', 's2', 's3'),
      fc.constantFrom<Omit<Balancing, 'source'>>(
        { choice: { by: 'address' } },
        { choice: 'leastConnections', affinity: { cookie: 'at', key: 'k' } },
        { choice: 'roundRobin', ejection: { errors: 3, periodMs: 1000 } },
      ),
      { maxKeys: 2 },
    ),
  })
  const layoutFor = ({
    paths,
    services,
    weights,
    shown,
    timed,
    mirror,
    balanced,
  }: typeof some extends fc.Arbitrary<infer T> ? T : never): Layout =>
    layout(
      paths.map((path, index) =>
        rule(path, index === 0 ? forward(['s1', weights[0]], ['s2', weights[1]]) : forward(['s3', 1])),
      ),
      {
        s1: [],
        s2: [],
        s3: [],
        ...(timed.length > 2 && { s4: [server(4)] }),
        ...Object.fromEntries(Object.entries(services).map(([id, all]) => [id, all.map(last => server(last))])),
      },
      exact('shop.localhost'),
      {
        ...Object.fromEntries(timed.map(id => [id, { timeoutMs: weights[0] + 1 }])),
        ...(mirror !== undefined && { s2: { mirrors: [{ backend: mirror, share: 1 }] } }),
      },
      // One id has one content.
      shown.map(({ id, to }) => ({ id, to, pem: shown.find(other => other.id === id)!.pem })),
      balanced,
    )
  fc.assert(
    fc.property(fc.array(some, { minLength: 2, maxLength: 8 }), wishes => {
      let running: Running | undefined
      let state = new Pretended()
      for (const wish of wishes) {
        const change = changeTo(running, layoutFor(wish))
        if (change.kind === 'load') state = Pretended.loadedWith(change.next)
        if (change.kind === 'commands') for (const command of commands(change)) state.obey(command)
        if (change.kind !== 'none') running = change.next
        const { has, owed } = state.against(running!)
        expect(has).toEqual(owed)
      }
    }),
    { numRuns: 60 },
  )
})

/** HAProxy as far as commands go. */
class Pretended {
  private readonly maps = new Map<string, Map<string, string>>()
  private readonly servers = new Map<string, string>()
  private readonly pems = new Map<string, string>()
  private readonly sets = new Map<string, string>()
  private readonly lists = new Map<string, Map<string, string>>()
  private readonly lines = new Map<string, readonly string[]>()

  static loadedWith(running: Running): Pretended {
    const made = new Pretended()
    for (const [file, text] of filesOf(running).others)
      made.maps.set(
        file,
        new Map(
          text
            .split('\n')
            .filter(Boolean)
            .map(line => line.split(' ') as [string, string]),
        ),
      )
    for (const [id, { servers, lines }] of running.layout.backends) {
      made.lines.set(running.called.get(id)!, lines)
      for (const name of servers.keys()) made.servers.set(`${running.called.get(id)}/${name}`, 'ready')
    }
    const { pems, lists } = running.layout.certificates
    for (const [file, pem] of pems) made.pems.set(file, pem)
    for (const [file, entries] of lists) made.lists.set(file, new Map(entries))
    return made
  }

  obey(command: string): void {
    const [verb = '', kind = '', first = '', second = '', third = ''] = command.split(' ')
    if (kind === 'ssl') return this.obeyTls(command)
    if (verb === 'replace') throw new Error('there is no order here')
    // What servers are told beyond their state is told of servers that are there.
    if (verb === 'enable') {
      if (kind === 'health' && !this.servers.has(first)) throw new Error(`there is no ${first}`)
      return
    }
    if (kind === 'server') {
      if (verb === 'add' && this.servers.has(first)) throw new Error(`${first} is there already`)
      if (verb === 'set' && !this.servers.has(first)) throw new Error(`there is no ${first}`)
      this.servers.set(first, verb === 'add' ? 'maint' : third)
      return
    }
    const map = this.maps.get(first)!
    if (verb === 'add' && map.has(second)) throw new Error(`${second} is there already`)
    if (verb !== 'add' && !map.has(second)) throw new Error(`there is no ${second}`)
    if (verb === 'del') map.delete(second)
    else map.set(second, third)
  }

  private obeyTls(command: string): void {
    const [line = '', ...payload] = command.split('\n')
    const [verb = '', , what = '', file = '', second = ''] = line.split(' ')
    if (what === 'cert') {
      if (verb === 'new' && this.pems.has(file)) throw new Error(`${file} is there already`)
      if (verb !== 'new' && !this.pems.has(file)) throw new Error(`there is no ${file}`)
      if (verb === 'new') this.pems.set(file, '')
      else if (verb === 'set') this.sets.set(file, payload.join('\n'))
      else if (verb === 'commit') this.pems.set(file, this.sets.get(file)!)
      else if ([...this.lists.values()].some(entries => entries.has(file))) throw new Error(`${file} is in use`)
      else this.pems.delete(file)
      return
    }
    const entries = this.lists.get(file)!
    if (verb === 'del' && [...entries.keys()].indexOf(second) <= 0) throw new Error(`${second} cannot go`)
    if (verb === 'del') return void entries.delete(second)
    const [pem = '', names = ''] = payload[0]!.split(' [] ')
    if (!this.pems.get(pem)) throw new Error(`there is nothing in ${pem}`)
    if (entries.has(pem)) throw new Error(`${pem} is there already`)
    entries.set(pem, names)
  }

  /** What it has of what it owes, both in one order. */
  against({ layout: wanted, called }: Running): { readonly has: unknown; readonly owed: unknown } {
    const sorted = (entries: ReadonlyMap<string, string>): string[] =>
      [...entries].map(entry => entry.join(' ')).toSorted((left, right) => (left < right ? -1 : 1))
    const files = [...wanted.maps.keys()]
    const owedServers = new Set(
      [...wanted.backends].flatMap(([id, { servers }]) => [...servers.keys()].map(name => `${called.get(id)}/${name}`)),
    )
    const backends = [...wanted.backends].map(([id, { lines }]) => ({ name: called.get(id)!, lines }))
    // Those that nothing leads to any more keep what they had.
    const names = new Set(backends.map(({ name }) => name))
    const servers = [...this.servers]
      .filter(([server, state]) => state === 'ready' && names.has(server.split('/')[0]!))
      .map(([server]) => server)
    return {
      has: [
        files.map(file => sorted(this.maps.get(file) ?? new Map())),
        new Set(servers),
        backends.map(({ name }) => this.lines.get(name) ?? []),
        this.pems,
        this.lists,
      ],
      owed: [
        files.map(file => sorted(resolved(wanted.maps.get(file)!, called))),
        owedServers,
        backends.map(({ lines }) => lines),
        wanted.certificates.pems,
        wanted.certificates.lists,
      ],
    }
  }
}
