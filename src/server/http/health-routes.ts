// /livez, /readyz, /healthz and /version: by the default roles open to everybody, as liveness checks come
// without credentials; single checks (/livez/etcd) are not.
import type { ServerResponse } from 'node:http'

export const kubernetesVersion = { major: '1', minor: '36', gitVersion: 'v1.36.0' } as const

export interface HealthCheck {
  readonly name: string
  /** undefined: fine; otherwise what is wrong. */
  check(): string | undefined | Promise<string | undefined>
  /** Whether a server that fails it shall be restarted; otherwise it only gets no requests. */
  readonly onlyReadiness?: boolean
}

const pattern = /^\/(livez|readyz|healthz)(?:\/([\w-]+))?$/

export const isHealthPath = (path: string): boolean => path === '/version' || path === '/version/' || pattern.test(path)

/** @param path one of these */
export function serveHealth(path: string, query: URLSearchParams, response: ServerResponse, checks: readonly HealthCheck[], buildDate: string): Promise<void> {
  if (path === '/version' || path === '/version/') return sendVersion(response, buildDate)
  const [, endpoint, one] = pattern.exec(path)!
  const excluded = new Set(query.getAll('exclude'))
  const asked = checks.filter(check => (one === undefined ? !excluded.has(check.name) && (check.onlyReadiness !== true || endpoint === 'readyz') : check.name === one))
  return answer(response, endpoint!, asked, query.has('verbose'))
}

/** Whoever asks is not known, so that he is not told why a check fails; the log says it. */
async function answer(response: ServerResponse, endpoint: string, checks: readonly HealthCheck[], verbose: boolean): Promise<void> {
  const results = await Promise.all(checks.map(async check => ({ name: check.name, failed: await check.check() !== undefined })))
  const failed = results.some(result => result.failed)
  const lines = results.map(result => (result.failed ? `[-]${result.name} failed: reason withheld` : `[+]${result.name} ok`))
  response.writeHead(failed ? 500 : 200, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
  response.end(verbose || failed ? `${lines.join('\n')}\n${endpoint} check ${failed ? 'failed' : 'passed'}\n` : 'ok')
}

async function sendVersion(response: ServerResponse, buildDate: string): Promise<void> {
  const platform = `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`
  sendJson(response, { ...kubernetesVersion, emulationMajor: '1', emulationMinor: '36', minCompatibilityMajor: '1', minCompatibilityMinor: '35', gitCommit: '', gitTreeState: 'clean', buildDate, goVersion: '', compiler: 'sampan', platform })
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value, undefined, 2))
}
