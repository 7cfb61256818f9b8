// Replays what a kube-apiserver 1.26.1 was asked and compares the answers. The recordings are reference
// data beside the repository (or where SAMPAN_REFERENCE points); without them the test is skipped and
// says so. What Sampan answers differently is listed with its reason, and the list can only shrink: an
// exchange that is listed and matches fails.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { serviceAccounts } from '../../src/api/resources.ts'
import { startTestServer, type Answer, type TestServer } from '../../src/testing/in-process-server.ts'
import { established } from '../../src/testing/custom-resources.ts'
import { differences } from '../../src/testing/exchange-differences.ts'
import { changesSince126, inTodaysWords } from './changes-since-1.26.ts'
import { knownDifferences } from './known-differences.ts'

interface Exchange {
  name: string
  request: {
    method: string
    path: string
    body?: unknown
    accept?: string
    contentType?: string
    headers?: Record<string, string>
  }
  response?: { status: number; warnings?: string[]; body?: unknown }
}

const folder = process.env.SAMPAN_REFERENCE ?? fileURLToPath(new URL('../../../shared/reference', import.meta.url))
const file = join(folder, 'exchanges-1.26.jsonl')
const present = existsSync(file)
if (!present)
  console.log(
    'skipped: the recorded exchanges of a kube-apiserver are not on this machine; SAMPAN_REFERENCE names their folder',
  )

const controller = 'kube-controller-manager'

// Sampan's own word about kinds that nothing acts on yet is no difference.
const warningTexts = ({ headers }: Answer): string[] =>
  [headers.warning ?? []]
    .flat()
    .flatMap(text => [...text.matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map(match => JSON.parse(match[1]!) as string))
    .filter(text => !text.startsWith('Sampan '))

/** The recorded cluster ran a deployment controller, this server runs alone: what that wrote is left out on both sides. */
function withoutController(body: unknown, recorded: unknown): unknown {
  const managers =
    (recorded as { kind?: string; metadata?: { managedFields?: { manager: string }[] } } | null)?.metadata
      ?.managedFields ?? []
  if (
    (recorded as { kind?: string } | null)?.kind !== 'Deployment' ||
    !managers.some(entry => entry.manager === controller)
  )
    return body
  const {
    status: _,
    metadata,
    ...rest
  } = body as {
    status?: unknown
    metadata: { managedFields?: { manager: string }[]; annotations?: Record<string, string> }
  }
  const { 'deployment.kubernetes.io/revision': _revision, ...annotations } = metadata.annotations ?? {}
  const managedFields = (metadata.managedFields ?? []).filter(entry => entry.manager !== controller)
  return {
    ...rest,
    metadata: {
      ...metadata,
      managedFields,
      annotations: Object.keys(annotations).length === 0 ? undefined : annotations,
    },
  }
}

function comparable(body: unknown, recorded: unknown): unknown {
  return JSON.parse(
    JSON.stringify(withoutController(body, recorded), (_, value: unknown) =>
      typeof value === 'string' ? inTodaysWords(value) : value,
    ),
  ) as unknown
}

function allDifferences(response: Required<Exchange>['response'], answer: Answer): string[] {
  return [
    ...(answer.status === response.status
      ? []
      : [`status: expected ${response.status}, found ${answer.status}: ${answer.text.slice(0, 500)}`]),
    ...differences(comparable(response.body, response.body), comparable(answer.json ?? answer.text, response.body)),
    ...differences(
      (response.warnings ?? []).map(text => text.replace(/^299 - /, '')),
      warningTexts(answer).map(text => JSON.stringify(text)),
      'warnings',
    ),
  ].filter(line => !changesSince126.some(({ pattern }) => pattern.test(line)))
}

describe.skipIf(!present)('recorded exchanges of a kube-apiserver', () => {
  const exchanges = present
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Exchange)
    : []
  let server: TestServer
  beforeAll(async () => {
    // Managed fields are ordered by whole seconds first: the recorded applies fell into one second.
    vi.useFakeTimers({ toFake: ['Date'] })
    server = await startTestServer()
  })
  afterAll(async () => {
    await server.close()
    vi.useRealTimers()
  })

  for (const exchange of exchanges) {
    test(exchange.name, async () => {
      const { method, path, body, accept, contentType, headers } = exchange.request
      const answer = await server.call(method, path, {
        body,
        headers: {
          ...(accept !== undefined && { Accept: accept }),
          ...(contentType !== undefined && { 'Content-Type': contentType }),
          ...headers,
        },
      })
      // What the service account controller of the recorded cluster did.
      if (exchange.name === 'create namespace')
        await server.local.create(serviceAccounts, { metadata: { namespace: 'gold', name: 'default' } })
      if (path.endsWith('/customresourcedefinitions') && answer.status === 201)
        await established(server, answer.json.metadata.name as string)
      const { response } = exchange
      const found = response === undefined ? [] : allDifferences(response, answer)
      const listed = knownDifferences[exchange.name] !== undefined
      if (response === undefined && answer.status >= 500) throw new Error(answer.text)
      if (listed && found.length === 0)
        throw new Error('is listed in known-differences.ts and matches: take it off the list')
      if (!listed && found.length > 0) throw new Error(found.join('\n'))
    })
  }

  test('the list names only recorded exchanges', () => {
    const names = new Set(exchanges.filter(exchange => exchange.response !== undefined).map(exchange => exchange.name))
    expect(Object.keys(knownDifferences).filter(name => !names.has(name))).toEqual([])
  })
})
