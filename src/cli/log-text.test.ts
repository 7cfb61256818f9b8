import { expect, test } from 'vitest'
import { LogText } from './log-text.ts'

const line = (instance: string, text: string) => ({ instance, at: '2026-01-01T00:00:00.000000000Z', text })

test('each line has the end of its instance in front, as long as it tells them apart', () => {
  const text = new LogText(false)
  expect(text.of(line('hcn-7d9f-abcde', 'one'))).toBe('abcde one')
  expect(text.of(line('hcn-7d9f-fghij', 'two'))).toBe('fghij two')
  expect(text.of(line('hcn-canary-33aa-abcde', 'three'))).toBe('33aa-abcde three')
  expect(text.of(line('hcn-7d9f-abcde', 'four'))).toBe('abcde      four')
  expect(text.of(line('hcn-postgres-0', 'five'))).toBe('postgres-0 five')
})

test('on a terminal each instance has a colour of its own', () => {
  const text = new LogText(true)
  expect(text.of(line('hcn-a-b', 'one'))).toBe('\u001B[36mb\u001B[0m one')
  expect(text.of(line('hcn-a-c', 'two'))).toBe('\u001B[33mc\u001B[0m two')
  expect(text.of(line('hcn-a-b', 'three'))).toBe('\u001B[36mb\u001B[0m three')
})
