// `sampan status -e ENVIRONMENT [NAME...]`: how each service of an environment is. Exit code 0: all is well; 3: something
// is not.
import { isNothing, serviceState, type ServiceState } from '../../delivery/service-state.ts'
import { nothingDelivered, placesOf } from '../environment-services.ts'
import { lookAt, withTarget } from '../looking.ts'
import { Output } from '../output.ts'
import { tableText } from '../table.ts'
import type { TargetOptions } from '../target.ts'

export interface ServiceStatusOptions extends TargetOptions {
  readonly output?: 'json'
}

const notWell = 3

export async function serviceStatus(names: readonly string[], options: ServiceStatusOptions): Promise<void> {
  await withTarget(options, async target => {
    const looked = await lookAt(target, await placesOf(names, target))
    const states = looked.map(serviceState)
    console.log(options.output === 'json' ? JSON.stringify(states) : statusText(states))
    if (looked.every(isNothing)) {
      const namespaces = looked.map(({ place: { namespace } }) => namespace)
      new Output().line(nothingDelivered(target, namespaces))
    }
    if (states.some(({ condition }) => condition !== 'well')) process.exitCode = notWell
  })
}

export function statusText(states: readonly ServiceState[]): string {
  const table = tableText(
    ['SERVICE', 'RELEASE', 'VERSION', 'STATE', 'READY', 'ADDRESS'],
    states.map(({ service, revision, version, condition, ready, wanted, address }) => [
      service,
      revision === undefined ? '-' : String(revision),
      version ?? '-',
      condition,
      `${ready}/${wanted}`,
      address ?? '',
    ]),
  )
  const troubles = states.flatMap(({ service, troubles: own }) => own.map(text => `${service}: ${text}`))
  return [table, ...(troubles.length === 0 ? [] : ['', ...troubles])].join('\n')
}
