// Keeps other firewalls of the machine from cutting pods off: adds what is ours to iptables, tells what people
// have to allow in tables of nftables, and does so again whenever somebody changes the rules, for as long as
// the server runs. A firewall that is started anew may also take away our own table; that is told.
import {
  changeFilter,
  followRuleset,
  hasLegacyFilter,
  listFilter,
  listTable,
  listTables,
  type Iptables,
  type TableName,
} from '../../host/ruleset.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/logger.ts'
import { cutOffBy } from './cut-off.ts'
import { acceptScript, deniesIncoming, iptablesEntries, removalScript, type FirewallFacts } from './iptables-script.ts'

export interface FirewallOptions {
  readonly facts: FirewallFacts
  /** Whether node ports are served on addresses that other machines reach. */
  readonly servesOthers: boolean
  readonly onTableLost: () => void
  readonly clock: Clock
  readonly logger: Logger
}

export interface Firewalls {
  /** What people have to do, a sentence each; as of the last look. */
  advice(): readonly string[]
  stop(): void
}

/** Programs change rules in bursts. */
const quietMs = 200
/** After which the monitor is started again, and the older iptables, which tells nobody, is looked at. */
const roundMs = 30_000

/** Resolves after the first look. */
export async function watchFirewalls(options: FirewallOptions): Promise<Firewalls> {
  const { facts, clock, logger } = options
  const own = new RegExp(`^(?:add|delete|insert|replace|destroy) \\S+ ip ${facts.linkName}(?: |$)`)
  /** What the older iptables and the newer one did not take, so that it is not tried for ever. */
  const refused = new Map<Iptables, string>()
  let advice: readonly string[] = []
  let stopped = false
  let pending = false
  let chain = Promise.resolve()
  let stopFollowing: (() => void) | undefined

  async function lookNow(): Promise<void> {
    if (stopped) return
    try {
      const found = await adjust(options, refused)
      for (const text of found.filter(one => !advice.includes(one))) logger.warn('a firewall is in the way', { text })
      advice = found
    } catch (error) {
      logger.error('the firewall rules cannot be looked at', { error: String(error) })
    }
  }

  /** One after the other. */
  const look = (): Promise<void> => (chain = chain.then(lookNow))

  function lookSoon(): void {
    if (pending || stopped) return
    pending = true
    clock.after(quietMs, () => {
      pending = false
      void look()
    })
  }

  function follow(): void {
    stopFollowing = followRuleset(
      line => {
        if (line === `delete table ip ${facts.linkName}` || !(own.test(line) || line.startsWith('#'))) lookSoon()
      },
      () => {
        stopFollowing = undefined
      },
    )
  }

  function round(): void {
    if (stopped) return
    if (stopFollowing === undefined) {
      follow()
      lookSoon()
    } else if (hasLegacyFilter()) lookSoon()
    clock.after(roundMs, round)
  }

  follow()
  clock.after(roundMs, round)
  await look()
  return {
    advice: () => advice,
    stop: () => {
      stopped = true
      stopFollowing?.()
    },
  }
}

/** @returns what is left for people to do */
async function adjust(options: FirewallOptions, refused: Map<Iptables, string>): Promise<string[]> {
  const { facts, servesOthers, onTableLost } = options
  const tables = await listTables()
  if (!tables.some(({ family, name }) => family === 'ip' && name === facts.linkName)) onTableLost()
  const advice: string[] = []
  let iptablesCares = false
  for (const program of usedIptables(tables)) {
    const listing = await listFilter(program)
    if (listing === undefined) continue
    if (program === 'iptables-nft') iptablesCares = true
    advice.push(...(await accept(program, listing, options, refused)))
    if (servesOthers && deniesIncoming(listing) && !letsOthersIn(listing, facts))
      advice.push(
        `the firewall of this machine (iptables) denies what comes in, so node ports and host ports answer this machine and its pods alone; open them to others with: ${program} -I FORWARD ${othersIn(facts)}`,
      )
  }
  for (const table of tables.filter(isForeign)) {
    const isIptables = table.family === 'ip' && table.name === 'filter' && iptablesCares
    const found = cutOffBy(table, await listTable(table), facts, isIptables ? iptablesEntries : [])
    if (found !== undefined)
      advice.push(
        `the firewall rules in the nftables table "${table.family} ${table.name}" cut off ${found.what.join(', ')}; let them through with: ${found.command}${found.lasts ? '' : ' (and add the same rules where that table comes from, often /etc/nftables.conf, so that they last)'}`,
      )
  }
  return advice
}

async function accept(
  program: Iptables,
  listing: string,
  { facts, logger }: FirewallOptions,
  refused: Map<Iptables, string>,
): Promise<string[]> {
  const script = acceptScript(listing, facts)
  if (script === '') return []
  const failed = (why: string): string[] => [
    `the firewall of this machine (${program}) denies what it does not know, and the rules that let pods through were not taken: ${why}`,
  ]
  if (refused.get(program) === listing) return failed('they are not there after they were added')
  try {
    await changeFilter(program, script)
  } catch (error) {
    return failed((error as Error).message)
  }
  const now = (await listFilter(program)) ?? ''
  if (acceptScript(now, facts) === '') {
    logger.info('rules that let pods through were added to a firewall', { program })
    return []
  }
  refused.set(program, now)
  return failed('they are not there after they were added')
}

const othersIn = ({ podCidr }: FirewallFacts): string => `-d ${podCidr} -m conntrack --ctstate DNAT -j ACCEPT`
const letsOthersIn = (listing: string, facts: FirewallFacts): boolean =>
  listing.includes(`-A FORWARD ${othersIn(facts)}`)

function usedIptables(tables: readonly TableName[]): Iptables[] {
  const isInNftables = tables.some(({ family, name }) => family === 'ip' && name === 'filter')
  return [
    ...(isInNftables ? ['iptables-nft' as const] : []),
    ...(hasLegacyFilter() ? ['iptables-legacy' as const] : []),
  ]
}

/** Tables of clusters never deny what is not theirs. */
const isForeign = ({ family, name }: TableName): boolean =>
  (family === 'ip' || family === 'inet') && !(family === 'ip' && /^sampan\d+$/.test(name))

/** Takes away what was added for a cluster. */
export async function leaveFirewalls(linkName: string): Promise<void> {
  for (const program of usedIptables(await listTables())) {
    const script = removalScript((await listFilter(program)) ?? '', linkName)
    if (script !== '') await changeFilter(program, script)
  }
}
