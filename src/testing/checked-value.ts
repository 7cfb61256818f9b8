// Values that show whether they are whole: a name, a filler of any length, and a checksum over both.
import { createHash } from 'node:crypto'

const sum = (text: string): string => createHash('sha256').update(text).digest('hex')

export function checkedValue(name: string, length: number): Buffer {
  const body = `${name} ${'x'.repeat(length)}`
  return Buffer.from(`${sum(body)} ${body}`)
}

/** @returns the name. @throws when the value is not exactly what was made */
export function nameInValue(value: Uint8Array): string {
  const [checksum, name, filler] = Buffer.from(value).toString().split(' ')
  if (name === undefined || checksum !== sum(`${name} ${filler}`))
    throw new Error(`half a value: ${Buffer.from(value).toString().slice(0, 120)}`)
  return name
}
