// /livez, /readyz, /healthz and /version: by the default roles open to everybody, as liveness checks come
// without credentials; single checks (/livez/etcd) are not.
import { noSuchPage, PlainError } from '../../api/api-error.ts'
import { buildInfo } from '../build-info.ts'
import type { Exchange } from './exchange.ts'
import { plainText, sendBytes } from './respond.ts'

export const kubernetesVersion = { major: '1', minor: '36', gitVersion: 'v1.36.0' } as const

export interface HealthCheck {
  readonly name: string
  /** undefined: fine; otherwise what is wrong. */
  check(): string | undefined | Promise<string | undefined>
  /** Whether a server that fails it shall be restarted; otherwise it only gets no requests. */
  readonly onlyReadiness?: boolean
}

const pattern = /^\/(livez|readyz|healthz)(?:\/([\w/-]+))?$/

export const isHealthPath = (path: string): boolean => path === '/version' || path === '/version/' || pattern.test(path)

/** `/livez`, `/livez/etcd` and so on. */
export const healthPaths = (checks: readonly HealthCheck[]): string[] =>
  ['healthz', 'livez', 'readyz'].flatMap(endpoint => [
    `/${endpoint}`,
    ...checksOf(endpoint, checks).map(({ name }) => `/${endpoint}/${name}`),
  ])

const checksOf = (endpoint: string, checks: readonly HealthCheck[]): HealthCheck[] =>
  checks.filter(check => check.onlyReadiness !== true || endpoint === 'readyz')

/** @throws ApiError where a check fails */
export function serveHealth(exchange: Exchange, checks: readonly HealthCheck[]): Promise<void> {
  const { path, query } = exchange
  if (path === '/version' || path === '/version/') return sendVersion(exchange)
  const [, endpoint = '', one] = pattern.exec(path)!
  const here = checksOf(endpoint, checks)
  return one === undefined
    ? answerAll(exchange, endpoint, here, new Set(query.getAll('exclude')))
    : answerOne(
        exchange,
        here.find(check => check.name === one),
      )
}

/** Whoever asks for all is not known, so that he is not told why a check fails; the log says it. */
async function answerAll(
  exchange: Exchange,
  endpoint: string,
  checks: readonly HealthCheck[],
  excluded: ReadonlySet<string>,
): Promise<void> {
  const results = await Promise.all(
    checks.map(async check => {
      const { name } = check
      if (excluded.has(name)) return { failed: false, line: `[+]${name} excluded: ok` }
      return (await check.check()) === undefined
        ? { failed: false, line: `[+]${name} ok` }
        : { failed: true, line: `[-]${name} failed: reason withheld` }
    }),
  )
  const unknown = [...excluded]
    .filter(name => !checks.some(check => check.name === name))
    .toSorted()
    .map(name => JSON.stringify(name))
  const lines = [
    ...results.map(({ line }) => line),
    ...(unknown.length > 0 ? [`warn: some health checks cannot be excluded: no matches for ${unknown.join(',')}`] : []),
  ]
  if (results.some(({ failed }) => failed)) throw unhealthy([...lines, `${endpoint} check failed`].join('\n'))
  exchange.response.setHeader('X-Content-Type-Options', 'nosniff')
  await sendText(exchange, exchange.query.has('verbose') ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok')
}

async function answerOne(exchange: Exchange, check: HealthCheck | undefined): Promise<void> {
  if (check === undefined) throw noSuchPage()
  const problem = await check.check()
  if (problem !== undefined) throw unhealthy(`internal server error: ${problem}`)
  await sendText(exchange, 'ok')
}

const unhealthy = (text: string): PlainError => new PlainError(500, 'InternalError', text)

const sendText = (exchange: Exchange, text: string): Promise<void> =>
  sendBytes(exchange, 200, plainText, Buffer.from(text))

function sendVersion(exchange: Exchange): Promise<void> {
  const platform = `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`
  const version = {
    ...kubernetesVersion,
    emulationMajor: '1',
    emulationMinor: '36',
    minCompatibilityMajor: '1',
    minCompatibilityMinor: '35',
    gitCommit: buildInfo.commit,
    gitTreeState: 'clean',
    buildDate: buildInfo.date,
    goVersion: '',
    compiler: 'sampan',
    platform,
  }
  return sendBytes(exchange, 200, 'application/json', Buffer.from(JSON.stringify(version, undefined, 2)))
}
