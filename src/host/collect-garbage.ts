// The collection that V8 keeps for when memory runs out: everything unused goes, and so does the room kept for
// new objects. Nothing else runs meanwhile.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export function collectThoroughly(): void {
  // As an option of Node.js it would cost a third of the start: code that was compiled beforehand counts for one set of options only.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as NodeJS.GCFunction
  setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
