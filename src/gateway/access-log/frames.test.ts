import fc from 'fast-check'
import { expect, test } from 'vitest'
import { received } from './frames.ts'

const frame = (text: string): Buffer => Buffer.from(`${Buffer.byteLength(text)} ${text}`)

test('messages come whole, however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).map(text => `${text}.`)),
      fc.array(fc.nat({ max: 20 })),
      (texts, cuts) => {
        const bytes = Buffer.concat(texts.map(frame))
        const found: string[] = []
        let rest: Buffer = Buffer.alloc(0)
        let at = 0
        for (const size of [...cuts, bytes.length]) {
          const next = received(Buffer.concat([rest, bytes.subarray(at, at + size)]))!
          found.push(...next.messages)
          rest = next.rest
          at += size
        }
        expect(found).toEqual(texts.map(text => text.trimEnd()))
        expect(rest).toHaveLength(0)
      },
    ),
  )
})

test.each(['a message', '12x', '99999999 x', ' x'])('%s is none', text => {
  expect(received(Buffer.from(text))).toBeUndefined()
})
