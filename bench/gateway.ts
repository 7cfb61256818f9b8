// What the gateway costs: each figure measured once, so that `node bench/medians.ts 5 bench/gateway.ts` gives medians of
// fresh ones. Parts, all of them when none is named: throughput, changes, scale. Throughput needs wrk (apt-get install wrk).
import { changes } from './gateway/changes.ts'
import { scale } from './gateway/scale.ts'
import { throughput } from './gateway/throughput.ts'
import { Figures } from './images/figures.ts'

const parts = { throughput, changes, scale }
const chosen = Object.entries(parts).filter(([name]) => process.argv.includes(name))
const figures = new Figures()
for (const [, part] of chosen.length > 0 ? chosen : Object.entries(parts)) await part(figures)
console.log(JSON.stringify(figures.all, undefined, 2))
