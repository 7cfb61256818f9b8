// What Sampan adds to iptables (Docker, ufw, an administrator's rules) so that pods are not cut off: chains of its
// own with what it accepts, entered from FORWARD, INPUT and OUTPUT, and only where those deny what no rule names.
// Pure: from what `iptables -S` prints to what `iptables-restore --noflush` reads. Whatever somebody denies by
// name goes on to be denied, since the chains are entered last: just before the denial of everything, if there is one.

export interface FirewallFacts {
  /** Of the cluster; names of chains begin with it. */
  readonly linkName: string
  readonly podCidr: string
  readonly nodeAddress: string
}

export const iptablesEntries = ['FORWARD', 'INPUT', 'OUTPUT'] as const
type Entry = (typeof iptablesEntries)[number]

const ownChain = (linkName: string, entry: Entry): string => `${linkName}-${entry.toLowerCase()}`

/** Whether what comes in from outside is denied unless a rule names it. */
export const deniesIncoming = (listing: string): boolean => denialOf(readListing(listing), 'INPUT') !== undefined

/** Empty: all is as it should be. */
export function acceptScript(listing: string, facts: FirewallFacts): string {
  const present = readListing(listing)
  const lines = iptablesEntries.flatMap(entry => {
    const own = ownChain(facts.linkName, entry)
    const place = placeFor(present, entry, own)
    if (place === undefined) return removal(present, entry, own)
    const rules = acceptedAt(entry, facts, deniesIncoming(listing))
    const isThere = present.rules.get(own)?.length === rules.length
    if (isThere && place === 'entered') return []
    return [
      `:${own} - [0:0]`,
      ...rules.map(rule => `-A ${own} ${rule}`),
      ...entered(present, entry, own).map(() => `-D ${entry} -j ${own}`),
      `-I ${entry} ${place === 'entered' ? entered(present, entry, own)[0]! + 1 : place} -j ${own}`,
    ]
  })
  return script(lines)
}

/** Takes away what `acceptScript` added; empty: there is nothing. */
export function removalScript(listing: string, linkName: string): string {
  const present = readListing(listing)
  return script(iptablesEntries.flatMap(entry => removal(present, entry, ownChain(linkName, entry))))
}

const script = (lines: readonly string[]): string =>
  lines.length === 0 ? '' : `*filter\n${lines.join('\n')}\nCOMMIT\n`

/** Links of pods on the machine's side are called so; nobody outside can pretend to send from one. */
const fromPods = (podCidr: string): string => `-s ${podCidr} -i veth+`

/** A firewall that denies what comes in goes on to decide who reaches node ports from outside. */
function acceptedAt(entry: Entry, { podCidr, nodeAddress }: FirewallFacts, incomingDenied: boolean): string[] {
  const state = (names: string): string => `-m conntrack --ctstate ${names} -j ACCEPT`
  if (entry === 'OUTPUT') return [`-d ${podCidr} -j ACCEPT`]
  if (entry === 'FORWARD')
    return [
      `${fromPods(podCidr)} -j ACCEPT`,
      `-d ${podCidr} ${state('RELATED,ESTABLISHED')}`,
      ...(incomingDenied ? [] : [`-d ${podCidr} ${state('DNAT')}`]),
    ]
  return [
    `${fromPods(podCidr)} ${state('RELATED,ESTABLISHED')}`,
    // Names, the API, and pods on the machine's own network, as services; no other program of the machine.
    `${fromPods(podCidr)} -d ${nodeAddress} ${state('DNAT')}`,
  ]
}

interface Listing {
  readonly policies: ReadonlyMap<string, string>
  readonly rules: ReadonlyMap<string, readonly string[]>
}

function readListing(text: string): Listing {
  const policies = new Map<string, string>()
  const rules = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [, kind, chain, rest = ''] = /^-([PNA]) (\S+) ?(.*)$/.exec(line) ?? []
    if (kind === undefined || chain === undefined) continue
    if (kind === 'P') policies.set(chain, rest)
    if (!rules.has(chain)) rules.set(chain, [])
    if (kind === 'A') rules.get(chain)!.push(rest)
  }
  return { policies, rules }
}

/** Where rules of this chain lead to from here, as positions that count from 0. */
const entered = ({ rules }: Listing, entry: string, own: string): number[] =>
  (rules.get(entry) ?? []).flatMap((rule, index) => (rule === `-j ${own}` ? [index] : []))

/** A position that counts from 1, or that it is entered in time already; undefined: nothing is denied. */
function placeFor(listing: Listing, entry: Entry, own: string): number | 'entered' | undefined {
  const denial = denialOf(listing, entry)
  if (denial === undefined) return undefined
  const places = entered(listing, entry, own)
  if (places.length === 1 && places[0]! < denial) return 'entered'
  // Our own rules in front of it are taken out before this one comes in.
  return denial + 1 - places.filter(place => place < denial).length
}

/** Position of the rule at which what no rule named is denied, the end of the chain for its policy. */
function denialOf(listing: Listing, chain: string): number | undefined {
  const rules = listing.rules.get(chain) ?? []
  const index = rules.findIndex(rule => deniesAll(listing, rule))
  if (index >= 0) return index
  return listing.policies.get(chain) === 'DROP' ? rules.length : undefined
}

function deniesAll(listing: Listing, rule: string, depth = 0): boolean {
  const target = /^-[jg] (\S+)/.exec(rule)?.[1]
  if (target === undefined) return false
  if (target === 'DROP' || target === 'REJECT') return true
  const rules = listing.rules.get(target)
  if (rules === undefined || depth > 16) return false
  // What has returned or was accepted before a denial is not denied by it.
  const end = rules.findIndex(
    inner => /(?:^| )-j (?:RETURN|ACCEPT)(?: |$)/.test(inner) || deniesAll(listing, inner, depth + 1),
  )
  return end >= 0 && deniesAll(listing, rules[end]!, depth + 1)
}

function removal({ rules }: Listing, entry: Entry, own: string): string[] {
  const uses = (rules.get(entry) ?? []).filter(rule => rule === `-j ${own}`)
  return [...uses.map(rule => `-D ${entry} ${rule}`), ...(rules.has(own) ? [`-F ${own}`, `-X ${own}`] : [])]
}
