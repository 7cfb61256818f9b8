// How a pod finds names: /etc/hosts, resolv.conf and its own host name.
// Source: kubernetes pkg/kubelet/network/dns and pkg/kubelet/kubelet_pods.go.
import type { ClusterNetwork } from '../api/cluster.ts'
import type { HostAlias, Pod } from '../api/generated/models.ts'
import { isLoopback, type DnsSettings } from '../lib/resolv-conf.ts'
import { isHostNetwork } from './pod-facts.ts'

/** `host` is what the node's own resolv.conf says. */
export function dnsSettings(pod: Pod, network: ClusterNetwork, host: DnsSettings): DnsSettings {
  const base = baseSettings(pod, network, host)
  const extra = pod.spec.dnsConfig
  if (extra === undefined) return base
  const options = new Map(base.options.map(option => [option.split(':')[0]!, option]))
  for (const { name = '', value } of extra.options ?? [])
    options.set(name, value === undefined || value === '' ? name : `${name}:${value}`)
  return {
    servers: unique([...base.servers, ...(extra.nameservers ?? [])]),
    searches: unique([...base.searches, ...(extra.searches ?? [])]),
    options: [...options.values()],
  }
}

function baseSettings(pod: Pod, network: ClusterNetwork, host: DnsSettings): DnsSettings {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return { servers: [], searches: [], options: [] }
  if (policy === 'Default' || (policy === 'ClusterFirst' && isHostNetwork(pod))) return reachable(pod, network, host)
  const searches = [`${pod.metadata.namespace}.svc.${network.domain}`, `svc.${network.domain}`, network.domain]
  return { servers: [network.dnsAddress], searches: unique([...searches, ...host.searches]), options: ['ndots:5'] }
}

/** A resolver on the machine's loopback is not in the pod's network; the cluster's DNS passes questions on to it. */
function reachable(pod: Pod, { dnsAddress }: ClusterNetwork, host: DnsSettings): DnsSettings {
  if (isHostNetwork(pod)) return host
  return { ...host, servers: unique(host.servers.map(server => (isLoopback(server) ? dnsAddress : server))) }
}

const unique = (values: readonly string[]): string[] => [...new Set(values)]

const hostNameLimit = 63

/** The short host name inside the pod, and the domain it belongs to if it has a subdomain. */
export function hostNameOf(pod: Pod, clusterDomain: string): { hostname: string; domain: string } {
  const override = pod.spec.hostnameOverride
  if (override !== undefined && override !== '') return { hostname: override, domain: '' }
  const wanted = pod.spec.hostname !== undefined && pod.spec.hostname !== '' ? pod.spec.hostname : pod.metadata.name
  const hostname = wanted.slice(0, hostNameLimit).replace(/[-.]+$/, '')
  const domain =
    pod.spec.subdomain === undefined || pod.spec.subdomain === ''
      ? ''
      : `${pod.spec.subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`
  return { hostname, domain }
}

export function hostsFile(pod: Pod, podAddress: string, clusterDomain: string, nodeHosts: string): string {
  const { hostname, domain } = hostNameOf(pod, clusterDomain)
  const aliases = aliasLines(pod.spec.hostAliases ?? [])
  if (isHostNetwork(pod)) return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${aliases}`
  const names = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`
  return `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
${podAddress}\t${names}
${aliases}`
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return ''
  return `\n# Entries added by HostAliases.\n${aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`).join('')}`
}
