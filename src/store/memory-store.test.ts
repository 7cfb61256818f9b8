import { testStore } from './contract.ts'
import { MemoryStore } from './memory-store.ts'

testStore('memory', { open: async () => new MemoryStore() })
