// A failure as the client is to be told of it. What is the registry's own fault is logged and told without its details.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '../../lib/logger.ts'
import { sendJson } from './answer.ts'
import { RegistryError } from './registry-error.ts'
import { DigestMismatch } from './storage/blob-store.ts'
import { isFull } from './storage/durable-file.ts'
import { LengthMismatch } from './storage/uploads.ts'

export function sendError(request: IncomingMessage, response: ServerResponse, error: unknown, logger: Logger): void {
  if (response.headersSent || response.socket?.destroyed === true) {
    response.destroy()
    return
  }
  // Many clients read an answer only when they have sent everything.
  request.resume()
  const { status, code, message, headers } = told(error, logger)
  sendJson(response, status, { errors: [{ code, message }] }, headers)
}

function told(error: unknown, logger: Logger): RegistryError {
  if (error instanceof RegistryError) return error
  if (error instanceof DigestMismatch) return new RegistryError(400, 'DIGEST_INVALID', error.message)
  if (error instanceof LengthMismatch) return new RegistryError(400, 'SIZE_INVALID', error.message)
  const { message, stack } = error as Error
  if (isFull(error)) {
    logger.error('the disk of the registry is full', { error: message })
    return new RegistryError(
      507,
      'UNKNOWN',
      'the disk of the registry is full; free some space, for example with: sampan images prune, and try again',
    )
  }
  logger.error('the registry could not serve a request', { error: message, stack })
  return new RegistryError(500, 'UNKNOWN', `the registry could not serve the request (${message}); its log says more`)
}
