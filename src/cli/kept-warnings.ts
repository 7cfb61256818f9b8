// Warnings that people read on the way, kept for those who read the result.
import type { Report } from '../delivery/execution/world.ts'

export function keepingWarnings(report: Report): { readonly report: Report; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const warning = (text: string): void => {
    warnings.push(text)
    report.warning(text)
  }
  return { warnings, report: { ...report, warning } }
}
