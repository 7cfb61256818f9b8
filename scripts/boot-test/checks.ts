// Counts checks and says at once what became of each.
import { setTimeout as sleep } from 'node:timers/promises'
import type { VirtualMachine } from './virtual-machine.ts'

const secondsSince = (startMs: number): string => ((performance.now() - startMs) / 1000).toFixed(1)

export class Checks {
  private good = 0
  private bad = 0

  /** What it throws is why it failed; the others go on. */
  async check(name: string, work: () => Promise<void>): Promise<void> {
    const startMs = performance.now()
    try {
      await work()
      this.good++
      console.log(`PASS ${name} (${secondsSince(startMs)} s)`)
    } catch (error) {
      this.failed(`${name} (${secondsSince(startMs)} s)`, (error as Error).message)
    }
  }

  failed(name: string, reason: string): void {
    this.bad++
    console.log(`FAIL ${name}\n  ${reason.trimEnd().replaceAll('\n', '\n  ')}`)
  }

  get isGood(): boolean {
    return this.bad === 0
  }

  get summary(): string {
    return `${this.good} passed, ${this.bad} failed`
  }
}

/** Output of a command that must not fail. */
export async function show(machine: VirtualMachine, command: string): Promise<string> {
  const { code, output } = await machine.run(command)
  if (code !== 0) throw new Error(`${command}: exit code ${code}: ${output}`)
  return output.trim()
}

export function expectSame(found: unknown, expected: unknown, what: string): void {
  if (found !== expected) throw new Error(`${what}: expected ${String(expected)}, found ${String(found)}`)
}

export function expectMatch(found: string, expected: RegExp, what: string): void {
  if (!expected.test(found)) throw new Error(`${what}: expected ${String(expected)}, found ${found}`)
}

/** Emulated on a busy machine everything takes its time; what is measured says so itself. */
const soonMs = 600_000

/** Asks until what is shown is as expected. */
export async function untilMatch(machine: VirtualMachine, command: string, expected: RegExp): Promise<string> {
  const endMs = performance.now() + soonMs
  for (;;) {
    const { output } = await machine.run(command)
    if (expected.test(output)) return output.trim()
    if (performance.now() > endMs) throw new Error(`${command}: expected ${String(expected)}, found ${output}`)
    await sleep(500)
  }
}
