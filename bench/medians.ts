// Runs another bench several times, each in a process of its own, and prints the median, the least and the
// greatest of each of its figures: `node bench/medians.ts ROUNDS bench/api.ts [arguments of that bench]`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

const [rounds = '5', ...command] = process.argv.slice(2)
const values = new Map<string, number[]>()

async function run(): Promise<Record<string, number>> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number]>])
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`)
  return JSON.parse(output) as Record<string, number>
}

for (let round = 1; round <= Number(rounds); round++) {
  console.error(`round ${round} of ${rounds}`)
  for (const [what, value] of Object.entries(await run())) values.set(what, [...(values.get(what) ?? []), value])
}
const results = Object.fromEntries(
  [...values].map(([what, all]) => {
    const sorted = all.toSorted((left, right) => left - right)
    return [what, { median: sorted[Math.floor(sorted.length / 2)]!, least: sorted[0]!, greatest: sorted.at(-1)! }]
  }),
)
for (const [what, { median, least, greatest }] of Object.entries(results))
  console.error(`${what.padEnd(52)} ${String(median).padStart(8)}   (${least} to ${greatest})`)
console.log(JSON.stringify(results, undefined, 2))
