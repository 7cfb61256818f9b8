// Rows under headings, as wide as what stands in them. A column in which nothing stands is left out.

export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = head.map((_name, column) => rows.some(row => (row[column] ?? '') !== ''))
  const lines = [head, ...rows].map(row =>
    head.map((_name, column) => row[column] ?? '').filter((_cell, at) => used[at]),
  )
  const widths = (lines[0] ?? []).map((_name, column) => Math.max(...lines.map(line => line[column]!.length)))
  return lines
    .map(line =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}
