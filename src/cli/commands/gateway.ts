// `sampan gateway routes` and `sampan gateway explain URL`: what leads where, and why something does not, as the objects of
// the cluster say it.
import type { Client } from '../../client/client.ts'
import { HttpClient } from '../../client/http-client.ts'
import { clusterAccess, kubeconfigPaths } from '../../client/kubeconfig.ts'
import { explainRequest } from '../../gateway/explain-request.ts'
import { routeFacts } from '../../gateway/route-facts.ts'
import type { Clock } from '../../lib/clock.ts'
import { explanationText, missedText, routesText } from '../gateway-text.ts'
import { knownGateway } from '../known-gateway.ts'
import { CommandFailure } from '../output.ts'
import { requestInMind } from '../request-in-mind.ts'

export interface GatewayCommandOptions {
  readonly context?: string
  readonly output?: 'json'
  readonly clock: Clock
}

export async function gatewayRoutes(options: GatewayCommandOptions): Promise<void> {
  const known = await withClient(options, knownGateway)
  const { notes } = known
  const routes = routeFacts(known)
  const shown = new Set(routes.map(({ problem }) => problem))
  const problems = known.problems.filter(({ message }) => !shown.has(message))
  if (options.output === 'json') return console.log(JSON.stringify({ routes, problems, notes }))
  console.log(
    routes.length === 0
      ? 'there are no routes of the gateway; a service gets one by "routes" in its app.yml, or by an Ingress'
      : routesText(routes),
  )
  for (const { owner, message } of problems) console.log(`${owner}: ${message}`)
  for (const note of notes) console.log(`note: ${note}`)
}

export interface ExplainOptions extends GatewayCommandOptions {
  readonly method: string
  readonly header: readonly string[]
}

/** Ends with 1 when nothing takes the request. */
export async function explainUrl(url: string, options: ExplainOptions): Promise<void> {
  const { method, header: headers, output } = options
  const known = await withClient(options, knownGateway)
  const request = requestInMind({ url, method, headers }, known.front)
  const explanation = explainRequest(known, request)
  if (output === 'json') {
    const { host, path } = request
    console.log(JSON.stringify({ host, path, ...explanation, notes: known.notes }))
    if (explanation.found !== 'rule') process.exitCode = 1
    return
  }
  if (explanation.found !== 'rule') throw new CommandFailure(missedText(request, explanation))
  console.log(explanationText(request, explanation))
  for (const note of known.notes) console.log(`note: ${note}`)
}

async function withClient<T>(
  { context, clock }: GatewayCommandOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const access = clusterAccess(kubeconfigPaths(process.env), context)
  const client = new HttpClient({ access, userAgent: 'sampan', clock })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}
