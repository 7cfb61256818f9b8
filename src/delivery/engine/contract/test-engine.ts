// The contract suite: every engine runs it. It knows processes by what they do and nothing of what the engine makes of the
// parts. Each verb is given twice, and where a command can be killed in between, another engine over the same world goes
// on. What is owed of one thing is one file of this folder.
import { afterAll, beforeAll, describe } from 'vitest'
import type { Ability, EngineWorld } from './engine-world.ts'
import { Suite } from './suite.ts'
import { testBundles } from './test-bundles.ts'
import { testDeliveries } from './test-deliveries.ts'
import { testInstances } from './test-instances.ts'
import { testLedger } from './test-ledger.ts'
import { testLogs } from './test-logs.ts'
import { testParts } from './test-parts.ts'
import { testPlaces } from './test-places.ts'
import { testRollouts } from './test-rollouts.ts'
import { testRuns } from './test-runs.ts'
import { testTerminals } from './test-terminals.ts'
import { testWays } from './test-ways.ts'

/** @param lacks what this world cannot show: the tests of that are none of its tests */
export function testEngine(name: string, open: () => Promise<EngineWorld>, lacks: readonly Ability[] = []): void {
  describe(`engine contract: ${name}`, () => {
    const suite = new Suite(open, lacks)
    beforeAll(() => suite.open())
    afterAll(() => suite.close())

    testPlaces(suite)
    testRollouts(suite)
    testInstances(suite)
    testParts(suite)
    testRuns(suite)
    testBundles(suite)
    testLedger(suite)
    testDeliveries(suite)
    testLogs(suite)
    testTerminals(suite)
    testWays(suite)
  })
}
