import { expect, test } from 'vitest'
import { endOfProcess, type EndOfProcess } from './end-of-process.ts'
import type { ContainerState } from './runtime.ts'

interface Scene {
  readonly isContainer: boolean
  /** What the runtime answers, call by call; the last answer stays. */
  readonly container?: readonly (ContainerState | undefined)[]
  readonly sandbox?: readonly (boolean | undefined)[]
}

function scene({ isContainer, container = [undefined], sandbox = [undefined] }: Scene) {
  const asked: string[] = []
  let sleptMs = 0
  const answers = <T>(what: string, list: readonly T[]) => {
    let calls = 0
    return async () => {
      asked.push(what)
      return list[Math.min(calls++, list.length - 1)] as T
    }
  }
  const end: EndOfProcess = {
    id: 'x',
    isContainer,
    containerState: answers('container', container),
    sandboxReady: answers('sandbox', sandbox),
    sleep: async milliseconds => void (sleptMs += milliseconds),
    isClosed: () => false,
  }
  return { end, asked, sleptMs: () => sleptMs }
}

test('the end of a container is told once it shows', async () => {
  const { end, asked } = scene({ isContainer: true, container: ['running', 'running', 'exited'] })
  expect(await endOfProcess(end)).toEqual({ type: 'exited', containerId: 'x' })
  expect(asked).toEqual(['container', 'container', 'container'])
})

test('a busy machine is waited for: the end is told half a minute late, and nothing else is asked for', async () => {
  const late = [...Array<ContainerState>(40).fill('running'), 'exited' as const]
  const { end, sleptMs } = scene({ isContainer: true, container: late })
  expect(await endOfProcess(end)).toEqual({ type: 'exited', containerId: 'x' })
  expect(sleptMs()).toBeGreaterThan(30_000)
})

test('a sandbox is asked about as a sandbox', async () => {
  const { end, asked } = scene({ isContainer: false, sandbox: [true, true, false] })
  expect(await endOfProcess(end)).toEqual({ type: 'sandbox-exited', sandboxId: 'x' })
  expect(asked).toEqual(['sandbox', 'sandbox', 'sandbox'])
})

test('what nobody saw beginning may be a container', async () => {
  const { end } = scene({ isContainer: false, container: ['exited'] })
  expect(await endOfProcess(end)).toEqual({ type: 'exited', containerId: 'x' })
})

test.each([true, false])('what is gone is not told of (container: %s)', async isContainer => {
  const { end, asked } = scene({ isContainer })
  expect(await endOfProcess(end)).toBeUndefined()
  expect(asked.length).toBeLessThanOrEqual(2)
})

test('an end that never shows is left to the regular list', async () => {
  const { end, sleptMs } = scene({ isContainer: true, container: ['running'] })
  expect(await endOfProcess(end)).toBeUndefined()
  expect(sleptMs()).toBeGreaterThanOrEqual(60_000)
})

test('a runtime that does not answer says nothing about what became of it', async () => {
  const { end } = scene({ isContainer: false })
  const answers = [new Error('busy'), new Error('busy'), false]
  const sandboxReady = async (): Promise<boolean> => {
    const next = answers.shift()!
    if (next instanceof Error) throw next
    return next as boolean
  }
  expect(await endOfProcess({ ...end, sandboxReady })).toEqual({ type: 'sandbox-exited', sandboxId: 'x' })
})
