// Asks a gateway from within the network namespace of a cluster (gateway-client.ts), and compares what came with what a
// test says.
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { repository, type ClusterFixture } from './cluster-fixture.ts'
import type { Echo } from './gateway-backend.ts'
import type { Answer, Place, Question, TlsQuestion } from './gateway-client.ts'

/** A request as `POST example.com/path`, of which only the path is needed, with what else is of it. */
export interface Asked {
  readonly to: string
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: TlsQuestion
}

/** What is expected of an answer; what is not said may be anything. */
export interface Expected {
  readonly status?: number | readonly number[]
  readonly service?: string
  /** Of the answer; one of several values; undefined: not there. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Where it leads to, part by part. */
  readonly location?: Partial<Record<'protocol' | 'hostname' | 'port' | 'pathname', string>>
  /** What the service was asked. */
  readonly path?: string
  readonly host?: string
  readonly asked?: Readonly<Record<string, string | undefined>>
  readonly echo?: Partial<Echo>
}

/** A request, and what comes of it: the service that answers, or the status. */
export type Case = readonly [request: string | Asked, expected: string | number | Expected]

export class GatewayAsker {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, (answer: Answer) => void>()
  private count = 0

  constructor(cluster: ClusterFixture) {
    this.child = cluster.spawn(process.execPath, [join(repository, 'src/testing/gateway-client.ts')])
    this.child.stderr!.on('data', (words: Buffer) => console.log(words.toString()))
    createInterface({ input: this.child.stdout! }).on('line', line => {
      const { id, answer } = JSON.parse(line) as { id: number; answer: Answer }
      this.waiting.get(id)?.(answer)
      this.waiting.delete(id)
    })
  }

  ask(question: Question): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.waiting.set(++this.count, resolve)
    this.child.stdin!.write(`${JSON.stringify({ id: this.count, question })}\n`)
    return promise
  }

  request(place: Place, asked: string | Asked): Promise<Answer> {
    const { host, ...request } = requestOf(asked)
    return this.ask({ type: 'http', ...place, ...request, host: host || place.address })
  }

  /** What is otherwise than expected, one line each. */
  async differences(place: Place, cases: readonly Case[]): Promise<string[]> {
    const found = await Promise.all(
      cases.map(async ([asked, expected]) => {
        const answer = await this.request(place, asked)
        return compare(requestOf(asked), answer, told(expected)).map(line => `${JSON.stringify(asked)}: ${line}`)
      }),
    )
    return found.flat()
  }
}

interface Request {
  readonly method: string
  /** Empty: that of the gateway's address. */
  readonly host: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly tls?: TlsQuestion
}

function requestOf(asked: string | Asked): Request {
  const { to, headers = {}, tls } = typeof asked === 'string' ? { to: asked } : asked
  const [, method = 'GET', host = '', path = '/'] = /^(?:([A-Z]+) )?([^/]*)(\/.*)$/.exec(to) ?? []
  return { method, host, path, headers, tls }
}

function told(expected: Case[1]): Expected {
  if (typeof expected === 'number') return { status: expected }
  return typeof expected === 'string' ? { status: 200, service: expected } : expected
}

export function echoOf({ body }: Answer): Partial<Echo> {
  try {
    return JSON.parse(body) as Echo
  } catch {
    return {}
  }
}

function compare(request: Request, answer: Answer, expected: Expected): string[] {
  if (answer.error !== undefined) return [answer.error]
  const found: Finding[] = [
    ['status', answer.status, expected.status ?? answer.status],
    ...ofService(request, echoOf(answer), expected),
    ...Object.entries(expected.headers ?? {}).map(([name, wanted]): Finding => [
      `header ${name}`,
      withoutSpace(answer.headers[name.toLowerCase()]),
      wanted,
    ]),
    ...(expected.location === undefined
      ? []
      : ofLocation(request, answer.headers['location'] ?? '', expected.location)),
  ]
  return found.flatMap(([what, found, wanted]) => {
    const choices = (Array.isArray(wanted) ? wanted : [wanted]) as unknown[]
    return choices.includes(found) ? [] : [`${what} is ${found}, expected ${choices.join(' or ')}`]
  })
}

type Finding = readonly [what: string, found: unknown, wanted: unknown]

/** A service is asked just what was asked, where nothing else is expected. */
function ofService(request: Request, echo: Partial<Echo>, expected: Expected): Finding[] {
  if (echo.service === undefined) return [['service', undefined, expected.service]]
  const { service = echo.service, path = request.path, host = request.host || echo.host, asked = {} } = expected
  const removed = new Set(Object.keys(asked).map(name => name.toLowerCase()))
  const kept = Object.entries(request.headers).filter(([name]) => !removed.has(name.toLowerCase()))
  return [
    ['service', echo.service, service],
    ['method at the service', echo.method, request.method],
    ['path at the service', echo.path, path],
    ['host at the service', echo.host, host],
    ...[...kept, ...Object.entries(asked)].map(([name, wanted]): Finding => [
      `header ${name} at the service`,
      echo.headers?.[name.toLowerCase()],
      wanted,
    ]),
    ...Object.entries(expected.echo ?? {}).map(([name, wanted]): Finding => [name, echo[name as keyof Echo], wanted]),
  ]
}

/** It keeps the scheme, the usual port of it, and the path, where nothing else is expected. */
function ofLocation(request: Request, text: string, expected: Required<Expected>['location']): Finding[] {
  const location = URL.parse(text)
  const wanted = {
    protocol: request.tls === undefined ? 'http:' : 'https:',
    port: '',
    pathname: request.path,
    ...expected,
  }
  return Object.entries(wanted).map(([part, value]): Finding => [
    `${part} of ${text}`,
    location?.[part as keyof typeof wanted],
    value,
  ])
}

/** Lists in headers are the same with and without space between their items. */
const withoutSpace = (value: string | undefined): string | undefined => value?.replaceAll(/,\s+/g, ',')
