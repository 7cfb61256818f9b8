// The `sampan` command, in a process that kills itself at one point of a delivery, or the process that KILL_PID names.
// KILL_AT is `STEP:before` (it has been recorded as begun), `STEP:in` (something of it has been done) or `STEP:after`
// (all of it has been done, and that is not recorded). HURRIED is how many times faster time passes from then on.
import { flushCompileCache } from 'node:module'
import { KubernetesEngine } from '../../../src/delivery/engine/kubernetes/kubernetes-engine.ts'
import { SecretLedger } from '../../../src/delivery/engine/kubernetes/secret-ledger.ts'
import type { LedgerEntry } from '../../../src/delivery/engine/ledger.ts'
import type { Release } from '../../../src/delivery/release.ts'
import { commandClock, machineClock } from '../../../src/host/machine-clock.ts'
import { hurriedTime } from './hurried-time.ts'

const [step = '', moment = ''] = (process.env['KILL_AT'] ?? '').split(':')
/** Steps that ask no engine are killed so long after their beginning. */
const withinMs = 25
let within = false

const victim = Number(process.env['KILL_PID'] ?? process.pid)
const hurry = hurriedTime([commandClock, machineClock], Number(process.env['HURRIED'] ?? 1))
let dead = false

const die = (): void => {
  if (dead) return
  dead = true
  // The next one starts as fast as the built command.
  flushCompileCache()
  process.kill(victim, 'SIGKILL')
  hurry()
  if (victim !== process.pid) return
  // Nothing happens any more until the signal arrives.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
const stateOf = (entry: LedgerEntry): string | undefined => (entry.content as Release).course.steps[step]?.state

const original = Object.getOwnPropertyDescriptor(SecretLedger.prototype, 'write')!.value as SecretLedger['write']
SecretLedger.prototype.write = async function (place, entry) {
  const state = stateOf(entry)
  if (state === 'done' && moment === 'after') die()
  const written = await original.call(this, place, entry)
  if (state === 'begun' && moment === 'before') die()
  if (state === 'begun' && moment === 'in' && !within) {
    within = true
    setTimeout(die, withinMs)
  }
  return written
}

for (const verb of ['rollOut', 'put', 'remove', 'runOnce'] as const) {
  const asked = KubernetesEngine.prototype[verb] as (...all: unknown[]) => Promise<unknown>
  Object.defineProperty(KubernetesEngine.prototype, verb, {
    value: async function (this: KubernetesEngine, ...all: unknown[]) {
      const result = await asked.apply(this, all)
      if (within) die()
      return result
    },
  })
}

const { fetch } = globalThis
globalThis.fetch = async (...all) => {
  const answer = await fetch(...all)
  if (within) die()
  return answer
}

await import('../../../src/main/cli.ts')
