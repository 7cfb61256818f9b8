// Lists of tags (end-8a, 8b of the OCI distribution specification) and of repositories (docker's `_catalog`).
import { assertMay } from '../access.ts'
import { sendJson } from '../answer.ts'
import type { Exchange } from '../exchange.ts'
import { pageOf } from '../page.ts'
import { RegistryError, unsupported } from '../registry-error.ts'

export async function serveTags(exchange: Exchange, repository: string): Promise<void> {
  assertReading(exchange, 'tags')
  await assertMay(exchange.caller, 'pull', repository)
  await assertKnown(exchange, repository)
  const tags = pageFor(exchange, await exchange.store.repositories.tags(repository))
  sendJson(exchange.response, 200, { name: repository, tags })
}

export async function serveCatalog(exchange: Exchange): Promise<void> {
  assertReading(exchange, 'the catalog')
  await assertMay(exchange.caller, 'pull', undefined)
  const repositories = pageFor(exchange, await exchange.store.repositories.names())
  sendJson(exchange.response, 200, { repositories })
}

/** @throws RegistryError */
export function assertReading({ request: { method } }: Exchange, what: string): void {
  if (method !== 'GET' && method !== 'HEAD') throw unsupported(method, what)
}

/** @throws RegistryError */
export async function assertKnown({ store }: Exchange, repository: string): Promise<void> {
  if (!(await store.repositories.has(repository)))
    throw new RegistryError(
      404,
      'NAME_UNKNOWN',
      `there is no repository ${repository} in this registry; push an image to it, or build one with \`sampan build\``,
    )
}

/** What else was asked for holds for the next part, too. */
function withFilter(next: string, query: URLSearchParams): string {
  const all = new URLSearchParams(query)
  for (const [name, value] of new URLSearchParams(next)) all.set(name, value)
  return String(all)
}

/** The names that were asked for; a header says where the next ones are. */
export function pageFor({ response, path, query }: Exchange, names: readonly string[]): readonly string[] {
  const page = pageOf(names, query)
  if (page === undefined)
    throw new RegistryError(400, 'UNSUPPORTED', `expected a number of names as n, found "${query.get('n')}"`)
  if (page.next !== undefined) response.setHeader('Link', `<${path}?${withFilter(page.next, query)}>; rel="next"`)
  return page.names
}
