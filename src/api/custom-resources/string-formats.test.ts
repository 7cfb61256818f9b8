import { expect, test } from 'vitest'
import { stringFormat } from './string-formats.ts'

test.each<[string, string[], string[]]>([
  [
    'date-time',
    ['2026-11-21T12:00:00Z', '2026-11-21t12:00:00.5+01:00'],
    ['2026-11-21', '2026-13-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-11-21T24:00:00Z'],
  ],
  ['date', ['2024-02-29'], ['2023-02-29', '24-1-1']],
  ['duration', ['1h30m', '5s', '22 ns', '3 days', '0'], ['5', 'soon', '']],
  ['ipv4', ['10.0.0.1'], ['10.0.0.256', '::1']],
  ['ipv6', ['::1', '2001:db8::ff00:42:8329'], ['10.0.0.1', ':::']],
  ['cidr', ['10.0.0.0/8', '2001:db8::/32'], ['10.0.0.0', '10.0.0.0/33', 'a/b/c']],
  ['mac', ['01:23:45:67:89:ab', '01-23-45-67-89-ab', '0123.4567.89ab'], ['01:23', '01:23:45:67:89']],
  ['uuid', ['123E4567-e89b-12d3-a456-426614174000'], ['123e4567']],
  ['uuid4', ['123e4567-e89b-42d3-a456-426614174000'], ['123e4567-e89b-12d3-a456-426614174000']],
  ['email', ['a@example.com', 'Someone <a@example.com>'], ['a', '@example.com']],
  ['hostname', ['example.com', 'a-b.example.com'], ['-a.example.com', `${'a'.repeat(64)}.com`, 'a b']],
  ['uri', ['https://example.com/x', '/path', 'urn:x:y'], ['relative', '']],
  ['byte', ['aGk=', 'aGll'], ['a', '']],
  ['isbn', ['0321751043', '978-0321751041'], ['0321751044']],
  ['creditcard', ['4111111111111111', '4111-1111-1111-1111'], ['4111111111111112']],
  ['ssn', ['123-45-6789'], ['12-345-6789']],
  ['hexcolor', ['#fff', 'FFFFFF'], ['#ffff']],
  ['rgbcolor', ['rgb(0, 128, 255)'], ['rgb(0,0,256)']],
  ['bsonobjectid', ['507f1f77bcf86cd799439011'], ['507f']],
  ['password', ['anything'], []],
  ['k8s-short-name', ['my-name'], ['My-Name', 'a.b', 'a'.repeat(64)]],
  ['k8s-long-name', ['my.name'], ['My.Name', '-a']],
])('%s', (name, good, bad) => {
  const test = stringFormat(name)!
  for (const text of good) expect(test(text), text).toBe(true)
  for (const text of bad) expect(test(text), text).toBe(false)
})

test('other formats are not checked', () => {
  expect(stringFormat('constructor')).toBeUndefined()
  expect(stringFormat('')).toBeUndefined()
})
