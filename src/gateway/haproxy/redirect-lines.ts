// A redirect as lines of a backend: to an address that is told in full, query included. Pure.
// Source: Gateway API, HTTPRequestRedirectFilter.
import type { Redirect } from '../model/model.ts'
import { pathLines } from './path-lines.ts'
import { literal, quoted } from './quoted.ts'

export function redirectLines({ status, scheme, host, port, path }: Redirect): readonly string[] {
  const usual = scheme === 'http' ? 80 : 443
  const authority = `${host === undefined ? '%[req.hdr(host),host_only]' : literal(host)}${port === usual ? '' : `:${port}`}`
  return [
    ...pathLines(path),
    `http-request redirect code ${status} location ${quoted(`${scheme}://${authority}%[pathq]`)}`,
  ]
}
