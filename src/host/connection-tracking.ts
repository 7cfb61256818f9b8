// What the kernel remembers of connections (connection tracking), listed and forgotten with the program
// `conntrack`. A forgotten connection is looked at as a new one with its next packet.
import { CommandError, run } from './command.ts'

/** A connection as far as address translation goes: where its sender sends to, and who answers. */
export interface Flow {
  readonly protocol: string
  readonly address: string
  readonly port: number
  /** The same as `address` and `port` when the destination was not translated. */
  readonly target: string
  readonly targetPort: number
}

export async function listFlows(protocol: string): Promise<Flow[]> {
  return readFlows((await run('conntrack', ['-L', '-p', protocol])).stdout)
}

/** Forgets all connections with this destination and this target, whoever sends. */
export async function forgetFlow({ protocol, address, port, target, targetPort }: Flow): Promise<void> {
  const original = ['--orig-dst', address, '--orig-port-dst', String(port)]
  const reply = ['--reply-src', target, '--reply-port-src', String(targetPort)]
  await run('conntrack', ['-D', '-p', protocol, ...original, ...reply]).catch((error: unknown) => {
    // Some versions call it a failure that there is none (any more).
    if (!(error instanceof CommandError && error.stderr.includes(' 0 flow entries'))) throw error
  })
}

/** Both directions of a connection stand in one line, each as src, dst, sport, dport. */
const linePattern =
  /^(\w+) .*?\bsrc=\S+ dst=(\d+\.\d+\.\d+\.\d+) sport=\d+ dport=(\d+) .*?\bsrc=(\d+\.\d+\.\d+\.\d+) dst=\S+ sport=(\d+) /

export function readFlows(listing: string): Flow[] {
  return listing.split('\n').flatMap(line => {
    const [, protocol, address, port, target, targetPort] = linePattern.exec(line) ?? []
    if (protocol === undefined || address === undefined || target === undefined) return []
    return [{ protocol, address, port: Number(port), target, targetPort: Number(targetPort) }]
  })
}
