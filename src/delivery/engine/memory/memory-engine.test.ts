// The engine in memory keeps the contract of engines, as far as it has a world.
import type { RunResult, Verdict } from '../engine.ts'
import type { EngineWorld } from '../contract/engine-world.ts'
import { testEngine } from '../contract/test-engine.ts'
import type { Process, Run, Workload } from '../parts.ts'
import { MemoryEngine } from './memory-engine.ts'

const process = (image: string, command: readonly string[] = []): Process => ({
  image,
  command,
  variables: {},
  files: [],
  resources: {},
  security: { root: false, capabilities: [], readOnlyRoot: false },
})

/** What a run of one of the suite's processes ends with. */
function run({ process: { image, command } }: Run): RunResult {
  if (image === 'missing') return { exitCode: 1, reason: 'there is no image "missing"', lines: [] }
  const [code = '0', ...lines] = command
  return { exitCode: Number(code), lines }
}

function rollOut({ process: { image }, beside = [] }: Workload): Verdict {
  const failing = beside.find(sidecar => sidecar.process.image === 'crashes')
  if (failing !== undefined)
    return { state: 'failed', reason: `"${failing.name}" keeps crashing: it ended with exit code 3`, lastWords: [] }
  if (image === 'crashes')
    return { state: 'failed', reason: 'it keeps crashing: it ended with exit code 3', lastWords: ['broken'] }
  if (image === 'missing')
    return { state: 'failed', reason: 'its image cannot be pulled: there is no image "missing"', lastWords: [] }
  return { state: 'done' }
}

async function inMemory(): Promise<EngineWorld> {
  const engine = new MemoryEngine({ run, rollOut, sharing: () => ({ by: 'weights' }) })
  return {
    engine: () => engine,
    namespace: 'contract',
    processes: {
      serves: process('serves'),
      rests: { ...process('rests'), variables: { GREETING: { value: 'hello' } } },
      crashes: process('crashes'),
      missing: process('missing'),
      says: (lines, exitCode) => process('says', [String(exitCode), ...lines]),
      echoes: [],
    },
    close: async () => {},
  }
}

testEngine('in memory', inMemory, ['logs', 'terminals', 'ways', 'endless runs', 'instances'])
