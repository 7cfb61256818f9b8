// Takes everything away that a cluster's network left in the kernel: its table, what it added to other
// firewalls, and connections that would go on to its pods.
import { forgetFlow, listFlows } from '../host/connection-tracking.ts'
import { leaveFirewalls } from './firewall/firewalls.ts'
import { removeTable } from './service-proxy.ts'
import { staleFlows, withoutHandshake } from './stale-flows.ts'

export async function removeRules(linkName: string, podCidr: string): Promise<void> {
  await removeTable(linkName)
  await Promise.all([leaveFirewalls(linkName), forgetFlowsTo(podCidr)])
}

async function forgetFlowsTo(podCidr: string): Promise<void> {
  for (const protocol of withoutHandshake)
    for (const flow of staleFlows(await listFlows(protocol), [], { podCidr, isNodePortAddress: () => false }))
      await forgetFlow(flow)
}
