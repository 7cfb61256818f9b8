// What images cost: each figure measured once, so that `node bench/medians.ts 5 bench/images.ts` gives medians of fresh
// ones. Parts, all of them when none is named: pull, loop.
import { Figures } from './images/figures.ts'
import { loop } from './images/loop.ts'
import { pull } from './images/pull.ts'

const parts = { pull, loop }
const chosen = Object.entries(parts).filter(([name]) => process.argv.includes(name))
const figures = new Figures()
for (const [, part] of chosen.length > 0 ? chosen : Object.entries(parts)) await part(figures)
console.log(JSON.stringify(figures.all, undefined, 2))
