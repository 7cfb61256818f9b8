// Runs many generated cases, each from a number of its own: a failure names the number, and the seed of the
// run. Every run tries the same cases, so that a change is judged by what it changed; SAMPAN_FUZZ_SEED=random
// goes looking for new ones, a number for certain ones. SAMPAN_FUZZ_CASES says how many all files have
// together. A case may take two seconds of processor time, and is tried again before it is found too slow: the
// collector of garbage and a machine's other guests are not its fault. One that never returns ends the process,
// saying which it was.
import fc from 'fast-check'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import { ApiError } from '../../src/api/api-error.ts'
import { fuzzSeed } from '../../src/testing/fuzz-seed.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { isThorough } from '../../src/testing/thoroughness.ts'

const seed = fuzzSeed()
const allCases = Number(process.env.SAMPAN_FUZZ_CASES ?? (isThorough ? 100_000 : 40_000))
const cpuLimitMs = 2000
const hangLimitMs = 30_000
const heapGrowthBytes = 64 * 1024 * 1024
/** What Kubernetes itself answers where something is not supported, not there, or too slow. */
const honest = new Set([501, 503, 504])

/** Chances that come out the same for the same case. */
export class Chance {
  private readonly random: () => number

  constructor(caseNumber: number) {
    this.random = seededRandom(caseNumber)
  }

  /** From 0 to `below` - 1. */
  number(below: number): number {
    return Math.floor(this.random() * below)
  }

  isOneIn(many: number): boolean {
    return this.number(many) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.number(list.length)]!
  }
}

/** Succeeds when `work` does, or is refused in a way that a client can understand. @returns the code of the refusal */
export async function isAnswered(work: () => unknown): Promise<number | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof ApiError && (error.code < 500 || honest.has(error.code) || isApplyOfSomethingElse(error)))
      return error.code
    throw error
  }
}

/** Kubernetes too answers 500 to an apply whose document does not fit the kind. */
const isApplyOfSomethingElse = ({ message }: ApiError): boolean =>
  message.startsWith('failed to create typed patch object')

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
}

async function heapBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage()
    await new Promise(resolve => {
      setImmediate(resolve)
    })
  }
  return process.memoryUsage().heapUsed
}

/** Ends this process when the case that is being worked on does not change for too long. */
function watchdog(what: string): { readonly current: Int32Array; stop(): Promise<number> } {
  const current = new Int32Array(new SharedArrayBuffer(4))
  const source = `
    const { workerData: { current, what, hangLimitMs } } = require('node:worker_threads')
    let last = -1, sinceMs = Date.now()
    setInterval(() => {
      if (current[0] !== last) { last = current[0]; sinceMs = Date.now() }
      if (Date.now() - sinceMs < hangLimitMs) return
      require('node:fs').writeSync(2, what + ': case ' + last + ' does not end\\n')
      process.kill(process.pid, 'SIGKILL')
    }, 500)`
  const worker = new Worker(source, { eval: true, workerData: { current, what, hangLimitMs } })
  return { current, stop: () => worker.terminate() }
}

/**
 * @param share of all cases
 * @param run works on one case; whatever it throws is a failure
 */
export async function fuzz(what: string, share: number, run: (chance: Chance) => Promise<void>): Promise<void> {
  const cases = Math.max(10, Math.round(allCases * share))
  console.log(`${what}: ${cases} cases, SAMPAN_FUZZ_SEED=${seed}`)
  const dog = watchdog(what)
  const rejections: unknown[] = []
  const reject = (error: unknown): void => void rejections.push(error)
  process.on('unhandledRejection', reject)
  const one = async (caseNumber: number): Promise<void> => {
    dog.current[0] = caseNumber
    const tookMs: number[] = []
    for (let attempt = 0; attempt < 3; attempt++) {
      const before = process.cpuUsage()
      await run(new Chance(caseNumber))
      tookMs.push(process.cpuUsage(before).user / 1000)
      if (tookMs.at(-1)! <= cpuLimitMs) return
    }
    throw new Error(`took ${tookMs.join(', ')} ms of processor time`)
  }
  const atStart = fingerprint()
  try {
    await fc.assert(fc.asyncProperty(fc.noShrink(fc.nat()), one), {
      seed,
      numRuns: Math.ceil(cases / 10),
      endOnFailure: true,
    })
    const heapBefore = await heapBytes()
    await fc.assert(fc.asyncProperty(fc.noShrink(fc.nat()), one), {
      seed: seed + 1,
      numRuns: Math.floor(cases * 0.9),
      endOnFailure: true,
    })
    const grown = (await heapBytes()) - heapBefore
    expect(grown, 'bytes of heap more than after the first tenth').toBeLessThan(heapGrowthBytes)
  } finally {
    process.off('unhandledRejection', reject)
    await dog.stop()
  }
  expect(rejections).toEqual([])
  expect(fingerprint(), 'what every object inherits').toEqual(atStart)
}

const fingerprint = (): unknown[] =>
  [Object, Array, String, Function, Map].map(type =>
    Reflect.ownKeys(type.prototype as object)
      .map(String)
      .toSorted(),
  )
