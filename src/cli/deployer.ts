// Who delivers, as other people are told, and whether that one has ended: `me@machine (process 1)`.
import { hostname } from 'node:os'

/** @param lookUp fails for a user whom the machine's list does not name, as in many containers */
export function deployerName(lookUp: () => { readonly username: string }): string {
  let user: string
  try {
    user = lookUp().username
  } catch {
    user = `user ${process.getuid?.()}`
  }
  return `${user}@${hostname()} (process ${process.pid})`
}

/** Only of processes of this machine it can be told. */
export function hasEnded(deployer: string, isAlive: (pid: number) => boolean): boolean {
  const [, host, pid] = /@(\S+) \(process (\d+)\)$/.exec(deployer) ?? []
  return host === hostname() && pid !== undefined && !isAlive(Number(pid))
}
