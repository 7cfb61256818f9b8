// Runs before each test file (vitest.config.ts): properties try the same cases in every run, or those of
// SAMPAN_FUZZ_SEED. A property that fails prints the seed.
import fc from 'fast-check'
import { fuzzSeed } from './fuzz-seed.ts'

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: fuzzSeed() })
