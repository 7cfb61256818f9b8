// A plan as people read it before it is carried out.
import type { PlannedRelease } from '../delivery/release.ts'

export function planText({ steps }: Pick<PlannedRelease, 'steps'>): string {
  const width = String(steps.length).length
  return steps
    .map(({ title, doneWhen, undo, timeLimitSeconds }, index) => {
      const number = String(index + 1).padStart(width)
      const indent = ' '.repeat(width + 2)
      return `${number}. ${title}\n${indent}done when ${doneWhen}, within ${timeLimitSeconds} s; undone: ${undo}`
    })
    .join('\n')
}
