// The machine's own clock, randomness and log, handed to everything else as arguments.
import { randomUUID } from 'node:crypto'
import { pino, destination, type Logger as Pino } from 'pino'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import type { Random } from '../lib/random.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

export const systemRandom: Random = { uuid: () => randomUUID(), fraction: () => Math.random() }

/** Lines of JSON on the given file. */
export function fileLogger(file: string): Logger {
  return wrap(pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination({ dest: file, sync: true, mkdir: true, mode: 0o600 })))
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
