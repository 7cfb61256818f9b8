// What a registry answers instead of what was asked for, as people are told it.
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { BuildError } from '../build/build-error.ts'

/** @throws BuildError with what the registry says */
export async function expectStatus(answer: IncomingMessage, wanted: readonly number[], problem: string): Promise<void> {
  if (!wanted.includes(answer.statusCode ?? 0)) fail(answer, await text(answer), problem)
}

/** @throws BuildError */
export function fail({ statusCode }: IncomingMessage, body: string, problem: string): never {
  const hint =
    statusCode === 401 || statusCode === 403
      ? '; log in with: docker login, podman login or skopeo login, or ask for the rights'
      : ''
  throw new BuildError(`${problem}: it answered ${statusCode}${told(body)}${hint}`)
}

/** `DENIED: requested access is denied`, or the beginning of what else was said. */
function told(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: string; message?: string }[] }
    if (errors?.[0] !== undefined) return ` ${errors.map(({ code, message }) => `${code}: ${message}`).join(', ')}`
  } catch {
    // No JSON.
  }
  return body.trim() === '' ? '' : ` ${body.trim().slice(0, 300)}`
}
