// /livez, /readyz, /healthz and /version: open to everybody, as liveness checks come without credentials.
import type { ServerResponse } from 'node:http'

export const kubernetesVersion = { major: '1', minor: '36', gitVersion: 'v1.36.0' } as const

export interface HealthCheck {
  readonly name: string
  /** undefined: fine; otherwise what is wrong. */
  check(): string | undefined
}

/** @returns whether the path was one of these */
export function serveHealth(path: string, query: URLSearchParams, response: ServerResponse, checks: readonly HealthCheck[], buildDate: string): boolean {
  if (path === '/version' || path === '/version/') {
    sendJson(response, { ...kubernetesVersion, emulationMajor: '1', emulationMinor: '36', minCompatibilityMajor: '1', minCompatibilityMinor: '35', gitCommit: '', gitTreeState: 'clean', buildDate, goVersion: '', compiler: 'sampan', platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}` })
    return true
  }
  const match = /^\/(livez|readyz|healthz)(?:\/([\w-]+))?$/.exec(path)
  if (match === null) return false
  const [, endpoint, one] = match
  const excluded = new Set(query.getAll('exclude'))
  const asked = checks.filter(check => (one === undefined ? !excluded.has(check.name) : check.name === one))
  const results = asked.map(check => ({ name: check.name, problem: check.check() }))
  const failed = results.some(result => result.problem !== undefined)
  const lines = results.map(({ name, problem }) => (problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem}`))
  const verbose = failed || query.has('verbose')
  response.writeHead(failed ? 500 : 200, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' })
  response.end(verbose ? `${lines.join('\n')}\n${endpoint} check ${failed ? 'failed' : 'passed'}\n` : 'ok')
  return true
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value, undefined, 2))
}
