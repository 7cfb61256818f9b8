// Unit and contract tests stand beside what they test; test/api runs the server in process; test/e2e
// runs real containers and has configurations of its own (two files at a time, or one, and longer limits). Limits are
// for what hangs: machines are shared and slow at times.
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { isThorough } from './src/testing/thoroughness.ts'

// Compiled once for all processes: those of vitest, and those that tests start from the sources.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled')

/** What takes many minutes, in parts beside what other tests try. */
const long = isThorough
  ? []
  : [
      'test/e2e/build.node.test.ts',
      'test/e2e/delivery.data-managed.test.ts',
      'test/e2e/delivery.scale.test.ts',
      'test/e2e/delivery.shop.test.ts',
      'test/e2e/develop.projects.test.ts',
      'test/e2e/engine.kubernetes.test.ts',
    ]

/** What uses names or places that the machine has once, or counts what it costs. */
const alone = [
  'test/e2e/cluster.failures.test.ts',
  'test/e2e/cluster.image.test.ts',
  'test/e2e/cluster.up.test.ts',
  'test/e2e/delivery.scale.test.ts',
  'test/e2e/develop*.test.ts',
  'test/e2e/guide*.test.ts',
  'test/e2e/package.install.test.ts',
  'test/e2e/trust.test.ts',
]

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
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
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: [...alone, ...long],
          globalSetup: ['test/e2e/build-product.ts'],
          // Each has its own network, cluster and directories, and waits more than it computes.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          env: { SAMPAN_TEST_PATIENCE_MS: '45000' },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: alone,
          exclude: long,
          globalSetup: ['test/e2e/build-product.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          env: { SAMPAN_TEST_PATIENCE_MS: '45000' },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: 'forks',
        },
      },
    ],
  },
})
