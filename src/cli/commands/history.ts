// `sampan history -e ENVIRONMENT NAME`: the releases of a service, newest first; with `--release`, the steps of one.
import { situationOf } from '../../delivery/history.ts'
import type { Release } from '../../delivery/release.ts'
import { placeOf } from '../environment-services.ts'
import { withTarget } from '../looking.ts'
import { CommandFailure } from '../output.ts'
import { tableText } from '../table.ts'
import type { TargetOptions } from '../target.ts'

export interface HistoryOptions extends TargetOptions {
  readonly file?: string
  readonly release?: number
  readonly output?: 'json'
}

export async function history(service: string, options: HistoryOptions): Promise<void> {
  await withTarget(options, async target => {
    const place = placeOf(service, target, options.file)
    const releases = (await situationOf(target.engine, place)).releases.map(({ content }) => content)
    if (releases.length === 0)
      throw new CommandFailure(
        `there is no release of "${service}" in the environment "${place.environment}" (namespace ${place.namespace})`,
      )
    const { release: revision } = options
    const shown = revision === undefined ? releases : [chosen(releases, service, revision)]
    if (options.output === 'json')
      console.log(JSON.stringify(shown.map(release => facts(release, revision !== undefined))))
    else console.log(revision === undefined ? historyText(releases) : releaseText(shown[0]!))
  })
}

function chosen(releases: readonly Release[], service: string, revision: number): Release {
  const found = releases.find(release => release.revision === revision)
  if (found !== undefined) return found
  throw new CommandFailure(
    `there is no release ${revision} of "${service}"; there is ${releases.map(release => release.revision).join(', ')}`,
  )
}

export const historyText = (releases: readonly Release[]): string =>
  tableText(
    ['RELEASE', 'VERSION', 'STATE', 'AT', 'BY', 'WHAT'],
    releases.map(release => [
      String(release.revision),
      release.version,
      release.state === 'pending' ? 'half-way' : release.state,
      release.at,
      release.by,
      whatOf(release).join('; '),
    ]),
  )

function whatOf({ rollbackTo, migration, reason, group }: Release): string[] {
  return [
    ...(rollbackTo === undefined ? [] : [`rollback to ${rollbackTo}`]),
    ...(migration === undefined ? [] : [`migration: ${migration.up.process.command.join(' ')}`]),
    ...(group === undefined ? [] : ['delivered together with others']),
    ...(reason === undefined ? [] : [reason.split('\n')[0]!]),
  ]
}

const stepStates = { begun: 'begun', done: 'done', undone: 'taken back' } as const

export function releaseText(release: Release): string {
  const { service, revision, version, state, at, by, environment, course, steps, reason } = release
  const rows = steps.map(({ id, title }, index) => {
    const record = course.steps[id]
    return [`${index + 1}.`, title, record === undefined ? 'not begun' : stepStates[record.state], record?.at ?? '']
  })
  return [
    `${service} ${version} in ${environment}, release ${revision}: ${state === 'pending' ? 'half-way' : state}`,
    `of ${at} by ${by}`,
    ...whatOf({ ...release, reason: undefined }),
    ...(reason === undefined ? [] : reason.split('\n')),
    '',
    tableText(['', 'STEP', 'STATE', 'AT'], rows),
  ].join('\n')
}

function facts(release: Release, withSteps: boolean): object {
  const { revision, version, image, state, at, by, reason, rollbackTo, group, migration, steps, course } = release
  return {
    revision,
    version,
    image,
    state,
    at,
    by,
    reason,
    rollbackTo,
    group,
    migration: migration?.up.process.command,
    ...(withSteps && {
      steps: steps.map(({ id, title }) => ({ id, title, state: course.steps[id]?.state, at: course.steps[id]?.at })),
    }),
  }
}
