// Unit and contract tests stand beside what they test; test/api runs the server in process; test/e2e
// runs real containers and has a configuration of its own (one file at a time, longer limits). Limits are
// for what hangs: machines are shared and slow at times.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Compiled once for all processes: those of vitest, and those that tests start from the sources.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled')

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          setupFiles: ['src/testing/property-seed.ts'],
          include: [
            'src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'examples/**/*.test.ts',
            'test/api/**/*.test.ts',
            'test/clients/**/*.test.ts',
            'test/conformance/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
          ],
          testTimeout: 30_000,
          hookTimeout: 30_000,
          pool: 'forks',
          // By default one processor is left to vitest itself, which is every second one of a small machine.
          maxWorkers: availableParallelism(),
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/build-product.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
        },
      },
    ],
  },
})
