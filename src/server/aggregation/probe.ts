// Asks an aggregated API server for one of its documents, within a time and a size.
import { request as httpsRequest } from 'node:https'
import type { OutgoingHttpHeaders } from 'node:http'
import type { Clock } from '../../lib/clock.ts'
import { networkFaultText } from '../outgoing/network-fault.ts'
import type { ServiceAddress } from '../outgoing/resolve-service.ts'
import { remoteUserHeaders, type FrontProxy } from './front-proxy.ts'

const timeoutMs = 5_000
const limitBytes = 16 * 1024 * 1024

/** @returns the parsed answer. @throws Error in the words of Kubernetes */
export function probe(
  { host, port }: ServiceAddress,
  path: string,
  frontProxy: FrontProxy | undefined,
  clock: Clock,
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  const url = `https://${host}:${port}${path}`
  const headers: OutgoingHttpHeaders = {
    Accept: 'application/json',
    ...remoteUserHeaders({ username: 'system:kube-aggregator', groups: ['system:masters'] }),
  }
  // Who owns the network may lie about health, and about nothing else: what clients get is verified.
  const call = httpsRequest({
    host,
    port,
    path,
    headers,
    agent: false,
    rejectUnauthorized: false,
    ...(frontProxy !== undefined && { cert: frontProxy.client.certificate, key: frontProxy.client.key }),
  })
  const fail = (why: string): void => {
    reject(new Error(`failing or missing response from ${url}: ${why}`))
    call.destroy()
  }
  const timer = clock.after(timeoutMs, () => fail(`Get ${JSON.stringify(url)}: context deadline exceeded`))
  call.on('error', error => fail(`Get ${JSON.stringify(url)}: ${networkFaultText(error)}`))
  call.on('upgrade', () => fail(`bad status from ${url}: 101`))
  call.on('response', response => {
    const status = response.statusCode ?? 0
    if (status < 200 || status > 299) return fail(`bad status from ${url}: ${status}`)
    const chunks: Buffer[] = []
    let size = 0
    response.on('error', error => fail(networkFaultText(error)))
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limitBytes) fail(`the answer is larger than ${limitBytes} bytes`)
      else chunks.push(chunk)
    })
    response.on('end', () => resolve(jsonOf(chunks)))
    return undefined
  })
  call.end()
  return promise.finally(() => timer.cancel())
}

/** undefined: not JSON. That the server answers is what counts first. */
function jsonOf(chunks: readonly Buffer[]): unknown {
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch {
    return undefined
  }
}
