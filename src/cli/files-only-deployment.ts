// A deployment as far as the files at hand tell it: without a cluster, a registry and the values of secrets.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Deployment } from '../delivery/deploy.ts'
import { MemoryEngine } from '../delivery/engine/memory/memory-engine.ts'
import { gather } from '../delivery/materials/gather.ts'
import { backingService } from '../delivery/services/backing-services.ts'
import type { ChosenService } from './chosen-services.ts'
import { externalServer } from './external-server.ts'
import type { Setting } from './target.ts'

/** Stands where only a delivery has the value. */
const unknown = 'known-when-it-is-delivered'

export function filesOnlyDeployment(setting: Setting, { manifest, file, version }: ChosenService): Deployment {
  return {
    manifest,
    environment: setting.environment,
    version,
    gather: (place, present) =>
      gather(manifest, version, {
        engine: new MemoryEngine(),
        place,
        present,
        load: backingService,
        external: type => externalServer(setting, type),
        password: () => unknown,
        image: async reference => ({ reference }),
        readFile: source => readFile(join(dirname(file), source)),
        secrets: async names => new Map(names.map(name => [name, unknown])),
      }),
  }
}
