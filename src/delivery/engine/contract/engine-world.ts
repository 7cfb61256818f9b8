// What an engine gives to be tested: a world of its own, in which other engines can be had, and processes that are known
// by what they do, in the engine's own images and commands.
import type { Engine } from '../engine.ts'
import type { Process } from '../parts.ts'

export interface EngineWorld {
  /** Another engine over the same world, as another command has it. */
  engine(): Engine
  /** Where services of the suite may live. */
  readonly namespace: string
  readonly processes: TestProcesses
  close(): Promise<void>
}

/**
 * What not every world has: outputs, processes that take a terminal, sockets, runs that go on, instances that change, the
 * right to make rooms, something that weighs requests, something that heeds who may ask.
 */
export type Ability = 'rooms' | 'weights' | 'policies' | 'logs' | 'terminals' | 'ways' | 'endless runs' | 'instances'

export interface TestProcesses {
  /** Writes `ready to serve` and goes on until it is told to stop; answers HTTP at port 8080. */
  readonly serves: Process
  /** Goes on until it is told to stop, and takes nothing that `serves` takes. */
  readonly rests: Process
  /** Writes `broken` and ends with code 3. */
  readonly crashes: Process
  /** Its image does not exist. */
  readonly missing: Process
  /** Writes the lines and ends with the code. */
  says(lines: readonly string[], exitCode: number): Process
  /** Program and arguments that write what they get as input, for instances of `serves`. */
  readonly echoes: readonly string[]
}
