// The machine's resolv.conf: what it says, and what of that is of use to others than the machine itself. Pure.
// With systemd-resolved, /etc/resolv.conf names a resolver on loopback that no pod reaches; the real ones stand in
// another file, which kubeadm has a kubelet read.

export interface DnsSettings {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

export interface MachineDns {
  /** What pods with the machine's own settings get. May name loopback where nothing else is known. */
  readonly settings: DnsSettings
  /** IPv4 resolvers to be asked from the machine itself, where loopback does. */
  readonly upstream: readonly string[]
}

export const noDns: DnsSettings = { servers: [], searches: [], options: [] }

export function parseResolvConf(text: string): DnsSettings {
  const lines = text.split('\n').map(line => withoutComment(line.trim().split(/\s+/)))
  const valuesOf = (keyword: string): string[] =>
    lines.filter(([first]) => first === keyword).flatMap(words => words.slice(1))
  const searches = lines.findLast(([first]) => first === 'search')?.slice(1) ?? []
  return {
    servers: lines.filter(([first]) => first === 'nameserver').flatMap(words => words.slice(1, 2)),
    // A lone dot is how systemd-resolved says that there is none; some C libraries take it for one.
    searches: searches.filter(domain => domain !== '.').map(domain => domain.replace(/\.$/, '')),
    options: valuesOf('options'),
  }
}

/** DHCP clients write behind a value where they have it from. */
function withoutComment(words: readonly string[]): readonly string[] {
  const start = words.findIndex(word => /^[#;]/.test(word))
  return start === -1 ? words : words.slice(0, start)
}

export const isLoopback = (server: string): boolean => server.startsWith('127.') || server === '::1'

const isIpv4 = (server: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(server)

/** @param main /etc/resolv.conf, @param behind the file of systemd-resolved with the real resolvers; '' where there is none */
export function machineDnsOf(main: string, behind: string): MachineDns {
  const [own, real] = [parseResolvConf(main), parseResolvConf(behind)]
  const isReal = own.servers.some(isLoopback) && real.servers.some(server => !isLoopback(server))
  const settings = isReal ? real : own
  const upstream = settings.servers.filter(isIpv4)
  return { settings, upstream: upstream.length > 0 ? upstream : own.servers.filter(isIpv4) }
}
