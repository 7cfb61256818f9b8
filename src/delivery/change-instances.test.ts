import { expect, test } from 'vitest'
import { Killed, MemoryDelivery, plainManifest } from '../testing/memory-delivery.ts'
import { restartService, scaleService } from './change-instances.ts'
import type { Workload } from './engine/parts.ts'

const blueGreen = { ...plainManifest, strategy: { kind: 'blue-green' as const } }

const workloads = (delivery: MemoryDelivery): string[] =>
  delivery
    .state()
    .parts.filter((part): part is Workload => part.kind === 'workload')
    .map(({ name, instances }) => `${name} ${instances}`)

test('scaling changes the instances that serve, and no others', async () => {
  const delivery = new MemoryDelivery()
  await delivery.deploy(blueGreen, '1.0.0')
  await delivery.deploy(blueGreen, '1.1.0')
  expect(workloads(delivery)).toEqual(['hcn-blue 2', 'hcn-green 2'])
  const changed = await delivery.work(options => scaleService(delivery.place, 5, options))
  expect(changed).toEqual({ workload: 'hcn-green', version: '1.1.0', instances: 2 })
  expect(workloads(delivery)).toEqual(['hcn-blue 2', 'hcn-green 5'])
})

test('the next delivery brings the number of the manifest back', async () => {
  const delivery = new MemoryDelivery()
  await delivery.deploy(plainManifest, '1.0.0')
  await delivery.work(options => scaleService(delivery.place, 0, options))
  expect(workloads(delivery)).toEqual(['hcn 0'])
  await delivery.deploy(plainManifest, '1.1.0')
  expect(workloads(delivery)).toEqual(['hcn 2'])
})

test('a restart that fails tells why', async () => {
  const delivery = new MemoryDelivery()
  await delivery.deploy(plainManifest, '1.0.0')
  delivery.failing = 'rollOut main'
  await expect(delivery.work(options => restartService(delivery.place, options))).rejects.toThrow(
    'restart hcn: it crashes\nboom',
  )
})

test('nothing is changed where nothing runs, or a delivery is half-way', async () => {
  const delivery = new MemoryDelivery()
  const restart = (): Promise<unknown> => delivery.work(options => restartService(delivery.place, options))
  await expect(restart()).rejects.toThrow('no release of "hcn" runs in the environment "test"')
  await delivery.deploy(plainManifest, '1.0.0')
  delivery.lives = 10
  await expect(delivery.deploy(plainManifest, '1.1.0')).rejects.toThrow(Killed)
  delivery.next()
  await expect(restart()).rejects.toThrow(
    'release 2 of "hcn" was interrupted half-way; go on with it or take it back first: sampan deploy -e test hcn --resume',
  )
})

test('two deliveries never run at once', async () => {
  const delivery = new MemoryDelivery()
  await delivery.deploy(plainManifest, '1.0.0')
  await delivery.engine.ledger.take(delivery.place, {
    deployer: 'somebody',
    isGone: () => false,
    waiting: () => {},
    signal: new AbortController().signal,
  })
  await expect(
    delivery.work(options => restartService(delivery.place, { ...options, isGone: () => false })),
  ).rejects.toThrow('somebody delivers "hcn"')
})
