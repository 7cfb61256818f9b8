// Why HAProxy did not start, out of the end of its log, in words that say what to do. Pure.

/** @param log its last lines @param logFile where all of it stands */
export function startFailure(log: string, logFile: string): string {
  const [, address, port] = /cannot bind socket \(Address already in use\) for \[(.*):(\d+)\]/.exec(log) ?? []
  if (port !== undefined)
    return `port ${port} of ${address} is in use by another program; end that one, and requests are served a second later`
  const alerts = log.split('\n').flatMap(line => /^\[ALERT\]\s+\(\d+\) : (.*)$/.exec(line)?.[1] ?? [])
  return `HAProxy did not start: ${alerts.at(-1) ?? `nothing is said in ${logFile}`}`
}
