// Where providers of identities may be. Pure.
import { isIP } from 'node:net'

/** @returns why nobody is asked there; undefined: somebody may be */
export function addressProblem(url: string): string | undefined {
  if (!URL.canParse(url)) return `expected an address such as https://login.example.com, found "${url}"`
  const { protocol, hostname } = new URL(url)
  if (protocol === 'https:') return undefined
  if (protocol === 'http:' && (isOfMachine(hostname) || serviceOf(hostname) !== undefined || isLoopback(hostname)))
    return undefined
  return `expected https, found ${url}: plain HTTP is for localhost and for services of the cluster`
}

export const isOfMachine = (hostname: string): boolean => hostname === 'localhost' || hostname.endsWith('.localhost')

const isLoopback = (hostname: string): boolean =>
  hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'))

/** `login.auth.svc`, `login.auth.svc.cluster.local` */
export function serviceOf(hostname: string): { readonly name: string; readonly namespace: string } | undefined {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc(\.cluster\.local)?\.?$/.exec(hostname) ?? []
  return name === undefined || namespace === undefined ? undefined : { name, namespace }
}
