// Pages that come through a proxy path lead back through it: redirects and links in HTML that name a path
// from the root get the path of the proxy in front. Source: apimachinery pkg/util/proxy/transport.go.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { responseHeaders } from './reverse-proxy.ts'

/** Larger pages pass as they are. */
const pageLimitBytes = 8 * 1024 * 1024
const [gunzipAsync, gzipAsync] = [promisify(gunzip), promisify(gzip)]
const tag = /<[a-z][^<>]*>/gi
const linkAttribute =
  /(\s(?:href|src|action|formaction|cite|background|codebase|longdesc|manifest|poster|profile|data|icon|usemap|classid)\s*=\s*)("([^"]*)"|'([^']*)')/gi

/** @param prefix is the path of the proxy without a slash at its end, @param hosts are names of the page's own server */
export function rewriteLink(link: string, prefix: string, hosts: readonly string[]): string {
  const match = /^(?:(?:https?:)?\/\/([^/?#]+))?(\/[^?#]*)?(.*)$/is.exec(link)
  if (match === null) return link
  const [, host, path = '', rest = ''] = match
  if ((host !== undefined && !hosts.includes(host)) || !path.startsWith('/') || path.startsWith(prefix)) return link
  return `${prefix}${path}${rest}`
}

/** Finishes a proxied request: the answer with its links led back. */
export function rewritingLinks(
  prefix: string,
  hosts: readonly string[],
): (incoming: IncomingMessage, response: ServerResponse) => Promise<void> {
  const rewrite = (link: string): string => rewriteLink(link, prefix, hosts)
  const rewriteHtml = (html: string): string =>
    html.replace(tag, text =>
      text.replace(
        linkAttribute,
        (_all, name: string, _quoted: string, double: string | undefined, single: string | undefined) =>
          double === undefined ? `${name}'${rewrite(single ?? '')}'` : `${name}"${rewrite(double)}"`,
      ),
    )

  return async function finish(incoming, response) {
    const headers = responseHeaders(incoming)
    for (const name of Object.keys(headers)) if (name.startsWith('access-control-')) delete headers[name]
    if (typeof headers['location'] === 'string') headers['location'] = rewrite(headers['location'])
    const status = incoming.statusCode ?? 502
    const begun = isPage(incoming) ? await beginningOf(incoming) : []
    if (begun.length > 0 && incoming.readableEnded) {
      const bytes = await withChanged(
        Buffer.concat(begun),
        incoming.headers['content-encoding'] === 'gzip',
        rewriteHtml,
      )
      response.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes)
      return
    }
    response.writeHead(status, headers)
    response.flushHeaders()
    for (const chunk of begun) response.write(chunk)
    await pipeline(incoming, response)
  }
}

function isPage({ headers }: IncomingMessage): boolean {
  return (
    headers.location === undefined &&
    (headers['content-type'] ?? '').split(';')[0]!.trim() === 'text/html' &&
    ['', 'gzip'].includes(headers['content-encoding'] ?? '')
  )
}

/** All of it, unless it is larger than a page may be. */
async function beginningOf(incoming: IncomingMessage): Promise<Buffer[]> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > pageLimitBytes) break
  }
  return chunks
}

async function withChanged(page: Buffer, zipped: boolean, change: (html: string) => string): Promise<Buffer> {
  if (!zipped) return Buffer.from(change(page.toString()))
  return gzipAsync(change((await gunzipAsync(page, { maxOutputLength: 4 * pageLimitBytes })).toString()))
}
