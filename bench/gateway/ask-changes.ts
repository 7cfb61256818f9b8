// Runs in the network namespace of a cluster: makes a service with endpoints of its own, which it answers itself, and
// measures, each ten times, from the API's answer until the gateway leads there. Prints medians as JSON, in milliseconds.
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { EndpointSlice, Ingress, Service } from '../../src/api/generated/models.ts'
import type { New } from '../../src/api/object.ts'
import { endpointSlices, ingresses, services } from '../../src/api/resources.ts'
import { HttpClient } from '../../src/client/http-client.ts'
import { clusterAccess, kubeconfigPaths } from '../../src/client/kubeconfig.ts'
import { machineClock } from '../../src/host/machine-clock.ts'

const rounds = 10
const namespace = 'default'
const client = new HttpClient({
  access: clusterAccess(kubeconfigPaths(process.env)),
  userAgent: 'bench',
  clock: machineClock,
})

const started = async (word: string): Promise<number> => {
  const server = createServer((_request, response) => response.end(word)).listen(0, '0.0.0.0')
  await new Promise(resolve => server.once('listening', resolve))
  server.unref()
  return (server.address() as AddressInfo).port
}
const ports = { one: await started('one'), two: await started('two') }
const gateway = 80
// The node's own address is an endpoint like any other.
const [address = ''] = Object.values(networkInterfaces())
  .flatMap(links => links ?? [])
  .filter(({ family, internal }) => family === 'IPv4' && !internal)
  .map(link => link.address)

function ask(host: string): Promise<string> {
  return new Promise(resolve => {
    request({ host: '127.0.0.1', port: gateway, headers: { host }, agent: false }, response => {
      let body = ''
      response
        .setEncoding('utf8')
        .on('data', (part: string) => (body += part))
        .on('end', () => resolve(body))
    })
      .on('error', () => resolve(''))
      .end()
  })
}

async function until(host: string, word: string): Promise<number> {
  const startMs = performance.now()
  while ((await ask(host)) !== word);
  return performance.now() - startMs
}

const service: New<Service> = { metadata: { name: 'web', namespace }, spec: { ports: [{ name: 'http', port: 80 }] } }
const slice = (port: number): New<EndpointSlice> & Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'> => ({
  metadata: { name: 'web-own', namespace, labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
  ports: [{ name: 'http', port, protocol: 'TCP' }],
})
const ingress = (name: string): New<Ingress> => ({
  metadata: { name, namespace },
  spec: {
    rules: [
      {
        host: `${name}.localhost`,
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
        },
      },
    ],
  },
})

await client.create(services, service)
await client.create(endpointSlices, slice(ports.one))
await client.create(ingresses, ingress('first'))
const firstMs = await until('first.localhost', 'one')
const routes: number[] = []
for (let round = 0; round < rounds; round++) {
  await client.create(ingresses, ingress(`next-${round}`))
  routes.push(await until(`next-${round}.localhost`, 'one'))
}
const endpoints: number[] = []
for (let round = 0; round < rounds; round++) {
  const word = round % 2 === 0 ? 'two' : 'one'
  await client.patch(
    endpointSlices,
    { name: 'web-own', namespace },
    { type: 'merge', value: { ports: slice(ports[word]).ports } },
  )
  endpoints.push(await until('first.localhost', word))
}
const median = (values: readonly number[]): number =>
  Math.round(10 * values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]!) / 10
console.log(
  JSON.stringify({
    'the first route of a cluster serves, after its acknowledgement': Math.round(firstMs),
    'a route serves, after its acknowledgement': median(routes),
    'an endpoint is led to, after its acknowledgement': median(endpoints),
  }),
)
client.close()
process.exit(0)
