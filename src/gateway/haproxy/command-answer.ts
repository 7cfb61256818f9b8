// Whether HAProxy did what it was told, by what it answered. Pure. Source: what HAProxy 2.6 answers.
import type { CommandAnswer } from './command-socket.ts'

/** Of a certificate that is too long for it, it says nothing, and does nothing. */
export const isDone = ({ command, text }: CommandAnswer): boolean =>
  /^\w+ ssl /.test(command)
    ? /^(New empty certificate store|Transaction created|Entry .* deleted|Certificate .* deleted)|Success!$/.test(text)
    : text === '' || text === 'New server registered.'
