// Requests that arrive in one turn of the event loop go through their steps side by side: all are routed, all are
// decoded, all are validated. What a step needs of code and data is in the processor's caches from the second request
// on; worked off one after the other, each request finds them full of the last steps of the one before. With 64 at
// a time a create costs two thirds, a get six sevenths of what it does alone.

/** Longer turns would keep the event loop busy; what they take depends on the requests, so their size follows what the last one took. */
const wantedMs = 8
const [fewest, most] = [4, 32]

let size = fewest
let waiting: (() => void)[] = []
/** Whether the next turn is under way already: one follows the other. */
let isGoing = false

/** Resolves once everything that has arrived by now was read and it is the caller's turn. */
export function sharedTurn(): Promise<void> {
  return new Promise(resolve => {
    waiting.push(resolve)
    if (isGoing) return
    isGoing = true
    setImmediate(begin)
  })
}

function begin(): void {
  const beganMs = performance.now()
  const turn = waiting
  waiting = turn.splice(size)
  for (const resolve of turn) resolve()
  // The requests go on as soon as this function has returned, and are done or wait for the store when the loop comes round.
  setImmediate(() => {
    if (turn.length === size)
      size = performance.now() - beganMs < wantedMs ? Math.min(most, size * 2) : Math.max(fewest, size / 2)
    if (waiting.length > 0) begin()
    else isGoing = false
  })
}
