// A runtime that is looked at as a whole all the time, by an agent that has much to do: every list is old when it
// comes, and none of it may be held against pods that came after it was asked for.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../src/testing/eventually.ts'
import { NodeFixture } from '../../src/testing/node-fixture.ts'
import { reasonToSkip, testImage } from '../../src/testing/private-containerd.ts'

const reason = reasonToSkip()

describe.skipIf(reason !== undefined)(`lists${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let node: NodeFixture
  beforeAll(async () => {
    node = await NodeFixture.start('relist', '10.79.3.0/24', 20)
  })
  afterAll(() => node?.close())

  test('pods of two containers that come and go meanwhile all do their work', { timeout: 120_000 }, async () => {
    const names = Array.from({ length: 16 }, (_, index) => `pod-${index}`)
    const container = (name: string) => ({ name, image: testImage, command: ['sh', '-c', 'sleep 1; echo done'] })
    await Promise.all(
      names.map(name =>
        node.launch(name, {}, { restartPolicy: 'Never', containers: [container('one'), container('two')] }),
      ),
    )
    const phases = (): (string | undefined)[] => names.map(name => node.show(name)?.status.phase)
    await eventually('all ended', () => phases().every(phase => phase === 'Succeeded' || phase === 'Failed'), 100_000)
    expect(phases()).toEqual(names.map(() => 'Succeeded'))
    const attempts = (await node.place.runtime.listPodSandboxes()).map(({ attempt }) => attempt)
    expect(new Set(attempts)).toEqual(new Set([0]))
  })
})
