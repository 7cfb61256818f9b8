// Lets a run begin only when its time counts. Kubernetes names a CronJob's Job after the time it is for (in minutes
// since 1970), and tells the container that name, so a late start is judged by its time, not by the clock. Pure.
import type { Container } from '../../../api/generated/models.ts'
import type { Guard } from './schedule-lines.ts'

/** Tells the guard for which time it runs. */
export const guardVariable = 'SAMPAN_SCHEDULED'

/** In place of a time: it counts. */
export const anyTime = 'now'

export const guardSource: NonNullable<Container['env']>[number] = {
  name: guardVariable,
  valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } },
}

export const isGuarded = (container: Container | undefined): boolean =>
  container?.env?.some(({ name }) => name === guardVariable) === true

/** A time that does not count ends with 0 before the command begins. */
export const guarded = (command: readonly string[], guard: Guard): string[] =>
  command[0] === 'node' ? guardedNode(command, guard) : guardedByShell(command, guard)

/** In the same process, in front of the program: node has no other one beside it that could be relied on. */
function guardedNode(command: readonly string[], { start, every, count }: Guard): string[] {
  const script = [
    `const m = Number((process.env.${guardVariable} ?? '').split('-').at(-1))`,
    `const d = m - ${start}`,
    `if (d < 0 || d % ${every} > 0${count === undefined ? '' : ` || d / ${every} >= ${count}`}) process.exit(0)`,
  ].join(';')
  return ['node', '--import', `data:text/javascript,${encodeURIComponent(script)}`, ...command.slice(1)]
}

function guardedByShell(command: readonly string[], { start, every, count }: Guard): string[] {
  const least = `[ $d -ge 0 ] && [ $((d % ${every})) -eq 0 ]`
  const script = [
    `m=\${${guardVariable}##*-}`,
    `case $m in *[!0-9]*|'') exec "$@";; esac`,
    `d=$((m - ${start}))`,
    `${least}${count === undefined ? '' : ` && [ $((d / ${every})) -lt ${count} ]`} && exec "$@"`,
    'exit 0',
  ].join('\n')
  return ['sh', '-c', script, 'sh', ...command]
}
