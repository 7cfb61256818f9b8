// A text for names of files that says which process made them, so that others can tell whether it is gone: a number
// alone may be another process by now, in another container, on another machine, or before the last start of this one.
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

interface Mark {
  /** Machine, or container. */
  readonly place: string
  /** Each start of the machine has another. */
  readonly boot: string
  /** In which the number counts. */
  readonly numbers: string
  readonly pid: number
  /** When it began, in ticks since the machine did. */
  readonly began: string
}

/** `3f2a9c1d-0b7e44aa-4026531836-1234-567890` */
export function processMark(): string {
  const { place, boot, numbers, pid, began } = own()
  return [place, boot, numbers, pid, began].join('-')
}

/** Whether the process that has made the name has ended; undefined: this cannot be known from here. */
export function isGone(mark: string): boolean | undefined {
  const [place, boot, numbers, pid, began] = mark.split('-')
  const here = own()
  if (began === undefined || place !== here.place) return undefined
  if (boot !== here.boot) return true
  return numbers === here.numbers ? beginningOf(Number(pid)) !== began : undefined
}

const own = (): Mark => ({
  place: hash(`${textOf('/etc/machine-id')} ${hostname()}`),
  boot: hash(textOf('/proc/sys/kernel/random/boot_id')),
  numbers: /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '',
  pid: process.pid,
  began: beginningOf(process.pid) ?? '',
})

/** undefined: there is none, or it is dead and only not yet taken note of. */
function beginningOf(pid: number): string | undefined {
  // Behind its name, which may have anything in it.
  const [state, ...rest] = textOf(`/proc/${pid}/stat`).split(') ').at(-1)!.split(' ')
  return state === 'Z' ? undefined : rest[18]
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
