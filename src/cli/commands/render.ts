// `sampan render -e ENVIRONMENT [NAME[:VERSION]...]`: the objects of services, without a cluster and without secrets.
import { stringify } from 'yaml'
import { placeOf, planWith } from '../../delivery/deploy.ts'
import { renderedObjects } from '../../delivery/engine/kubernetes/rendered-objects.ts'
import { MemoryEngine } from '../../delivery/engine/memory/memory-engine.ts'
import type { Clock } from '../../lib/clock.ts'
import { chosenServices } from '../chosen-services.ts'
import { filesOnlyDeployment } from '../files-only-deployment.ts'
import { settingOf } from '../target.ts'

export interface RenderCommandOptions {
  readonly environment: string
  readonly file?: string
  readonly output?: 'json'
  readonly clock: Clock
}

export async function renderCommand(names: readonly string[], options: RenderCommandOptions): Promise<void> {
  const setting = settingOf(options)
  const gateway = setting.settings?.gateway
  const objects: object[] = []
  for (const service of await chosenServices(names, setting, options)) {
    const deployment = filesOnlyDeployment(setting, service)
    const { planned, bundles } = await planWith(deployment, {
      engine: new MemoryEngine(),
      timeLimitSeconds: 300,
    })
    const { namespace } = placeOf(deployment)
    objects.push(...renderedObjects(namespace, { parts: planned.parts, bundles, gateway }, options.clock.now()))
  }
  if (options.output === 'json') console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
  else process.stdout.write(objects.map(object => `---\n${stringify(object, { lineWidth: 0 })}`).join(''))
}
