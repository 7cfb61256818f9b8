import { machineClock } from '../host/machine-clock.ts'
import { testRuntime } from './contract.ts'
import { SimulatedRuntime } from './simulated-runtime.ts'

testRuntime('simulated', false, async () => ({
  runtime: new SimulatedRuntime({ clock: machineClock, images: ['busybox'] }),
  image: 'busybox',
  logDirectory: '/nowhere',
  close: async () => {},
}))
