// The machine's randomness and log, handed to everything else as arguments.
import { randomUUID } from 'node:crypto'
import { pino, destination, stdTimeFunctions, type Logger as Pino } from 'pino'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'

export const systemRandom: Random = { uuid: () => randomUUID(), fraction: () => Math.random() }

/** Lines of JSON on standard output, which the server's starter directs to a file. */
export function processLogger(): Logger {
  const output = destination({ fd: 1, sync: true })
  // A full disk costs lines of the log, not the server.
  output.on('error', () => {})
  return wrap(pino({ base: null, timestamp: stdTimeFunctions.isoTime }, output))
}

function wrap(log: Pino): Logger {
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
    with: fields => wrap(log.child(fields)),
  }
}
