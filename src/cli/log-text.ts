// Lines of several instances as people read them: the instance in front, short, and in a colour of its own on a
// terminal.
import type { LogLine } from '../delivery/engine/engine.ts'

/** Of a terminal; red is left to errors. */
const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94]

export class LogText {
  private readonly short = new Map<string, string>()
  private readonly coloured: boolean
  private width = 0

  constructor(coloured: boolean) {
    this.coloured = coloured
  }

  of({ instance, text }: LogLine): string {
    const name = this.nameOf(instance).padEnd(this.width)
    if (!this.coloured) return `${name} ${text}`
    const colour = colours[[...this.short.keys()].indexOf(instance) % colours.length]
    return `\u001B[${colour}m${name}\u001B[0m ${text}`
  }

  /** As much of the end of its name as tells it from the instances so far. */
  private nameOf(instance: string): string {
    const known = this.short.get(instance)
    if (known !== undefined) return known
    const taken = new Set(this.short.values())
    const words = instance.split('-')
    const tails = words.map((_word, index) => words.slice(words.length - 1 - index).join('-'))
    const name = tails.find(tail => !/^\d+$/.test(tail) && !taken.has(tail)) ?? instance
    this.short.set(instance, name)
    this.width = Math.max(this.width, name.length)
    return name
  }
}
