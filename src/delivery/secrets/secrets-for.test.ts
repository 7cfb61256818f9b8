import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { changesIn, textToEdit } from './edited-secrets.ts'
import type { Identity, IdentitySource } from './identities.ts'
import { copySecrets, rekeyFile } from './rekey-file.ts'
import { SecretFile } from './secret-file.ts'
import { SecretFolder } from './secret-folder.ts'
import type { SecretPlace } from './secret-place.ts'
import { SecretsError } from './secrets-error.ts'
import { secretsFor, type FoundSecrets } from './secrets-for.ts'
import { armorBegin, sealValue, unsealValue } from './sealed-value.ts'

const root = mkdtempSync(join(tmpdir(), 'sampan-secrets-'))
const inTurn = <T>(_name: string, work: () => Promise<T>): Promise<T> => work()
const folder = new SecretFolder(root)
const people = {} as Record<'anna' | 'boris', Identity>
const place = (name: string, service?: string, environment = 'test'): SecretPlace => ({ environment, service, name })
const sourceOf = (who: Identity): IdentitySource => ({ key: who.key, keyFile: undefined, home: '/nowhere' })
const recipients = (...names: ('anna' | 'boris')[]): Record<string, string> =>
  Object.fromEntries(names.map(name => [name, people[name].recipient]))

beforeAll(async () => {
  for (const name of ['anna', 'boris'] as const) {
    const key = await generateX25519Identity()
    people[name] = { key, recipient: await identityToRecipient(key) }
  }
})
afterAll(() => rmSync(root, { recursive: true }))

async function fileWith(values: readonly [SecretPlace, string][], readers = recipients('anna')): Promise<SecretFile> {
  const environment = values[0]![0].environment
  const file = new SecretFile(`secrets/${environment}.yml`, environment, undefined)
  file.setReaders(readers)
  for (const [at, value] of values) file.put(at, await sealValue(at, { value, generated: false }, readers))
  return file
}

const wanted = (
  names: string[],
  service: string | undefined = 'hcn',
  environment = 'test',
  parents: string[] = [],
) => ({
  environment,
  extends: parents,
  service,
  names,
})
const read = (...files: SecretFile[]) => ({
  read: (environment: string) =>
    files.find(file => file.environment === environment) ??
    new SecretFile(`secrets/${environment}.yml`, environment, undefined),
})
const asText = (found: FoundSecrets): unknown => ('values' in found ? Object.fromEntries(found.values) : found.mistakes)

describe('what a service gets', () => {
  test('is its own value before the one that is for all services', async () => {
    const file = await fileWith([
      [place('TOKEN', 'hcn'), 'own'],
      [place('TOKEN'), 'everybody’s'],
      [place('SMTP'), 'shared'],
      [place('TOKEN', 'geo'), 'of another'],
    ])
    expect(asText(await secretsFor(read(file), sourceOf(people.anna), wanted(['TOKEN', 'SMTP'])))).toEqual({
      TOKEN: 'own',
      SMTP: 'shared',
    })
    const shared = await secretsFor(read(file), sourceOf(people.anna), wanted(['TOKEN'], 'web'))
    expect(asText(shared)).toEqual({ TOKEN: 'everybody’s' })
  })

  test('comes from the nearest environment that has it', async () => {
    const base = await fileWith([
      [place('TOKEN', 'hcn', 'base'), 'base'],
      [place('ONLY', undefined, 'base'), 'only base'],
    ])
    const parent = await fileWith([[place('TOKEN', 'hcn'), 'test']])
    const own = await fileWith([[place('OWN', 'hcn', 'test7'), 'test7']])
    const all = wanted(['TOKEN', 'ONLY', 'OWN'], 'hcn', 'test7', ['test', 'base'])
    expect(asText(await secretsFor(read(base, parent, own), sourceOf(people.anna), all))).toEqual({
      TOKEN: 'test',
      ONLY: 'only base',
      OWN: 'test7',
    })
  })

  test('is missing with the command that sets it, all at once', async () => {
    const file = await fileWith([[place('TOKEN', 'hcn'), 'own']])
    expect(asText(await secretsFor(read(file), sourceOf(people.anna), wanted(['A', 'TOKEN', 'B'])))).toEqual([
      'secrets/test.yml: A of hcn is missing; set it with "sampan secret set -e test hcn A"',
      'secrets/test.yml: B of hcn is missing; set it with "sampan secret set -e test hcn B"',
    ])
  })

  test('needs nobody’s identity where it needs nothing', async () => {
    const nobody = { key: undefined, keyFile: undefined, home: '/nowhere' }
    expect(asText(await secretsFor(read(), nobody, wanted([])))).toEqual({})
    const file = await fileWith([[place('TOKEN', 'hcn'), 'own']])
    expect(asText(await secretsFor(read(file), nobody, wanted(['TOKEN'])))).toEqual([
      expect.stringContaining('there is no identity to read secrets with'),
    ])
  })

  test('is refused to who is no reader, and the readers are named', async () => {
    const file = await fileWith([
      [place('A', 'hcn'), 'geheim'],
      [place('B', 'hcn'), 'geheim'],
    ])
    const found = asText(await secretsFor(read(file), sourceOf(people.boris), wanted(['A', 'B'])))
    expect(found).toEqual([
      `secrets/test.yml cannot be read by ${people.boris.recipient}; its readers are anna. One of them can add you to the readers of test and run "sampan secret rekey -e test"`,
    ])
  })

  test('is refused to a reader for whom it was not yet encrypted', async () => {
    const file = await fileWith([[place('A', 'hcn'), 'geheim']])
    file.setReaders(recipients('anna', 'boris'))
    const found = asText(await secretsFor(read(file), sourceOf(people.boris), wanted(['A'])))
    expect(found).toEqual([expect.stringContaining('was encrypted before boris was a reader')])
  })
})

describe('a value', () => {
  test('comes back as it was, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), fc.boolean(), async (value, generated) => {
        const sealed = await sealValue(place('A', 'hcn'), { value, generated }, recipients('anna', 'boris'))
        for (const { key } of Object.values(people))
          expect(await unsealValue(sealed, place('A', 'hcn'), [key])).toEqual({
            state: 'open',
            secret: { value, generated },
          })
      }),
      { numRuns: 20 },
    )
  })

  test.each([
    ['another key', place('B', 'hcn')],
    ['another service', place('A', 'geo')],
    ['all services', place('A')],
    ['another environment', place('A', 'hcn', 'production')],
  ])('that was moved to %s is refused', async (_where, to) => {
    const moved = await fileWith([[place('A', 'hcn'), 'geheim']])
    const file = new SecretFile(`secrets/${to.environment}.yml`, to.environment, undefined)
    file.setReaders(recipients('anna'))
    file.put(to, moved.find(place('A', 'hcn'))!.sealed)
    const { service = 'web', environment, name } = to
    const found = asText(await secretsFor(read(file), sourceOf(people.anna), wanted([name], service, environment)))
    expect(found).toEqual([expect.stringContaining('is the value of A of hcn in test, moved here by hand')])
  })

  test('that is damaged is told with its line', async () => {
    const file = await fileWith([[place('A', 'hcn'), 'geheim']])
    const lines = file.text.split('\n')
    const begin = lines.findIndex(line => line.includes(armorBegin))
    lines[begin + 5] = lines[begin + 5]!.replace(/[A-Za-z]{3}/, 'AAA')
    const damaged = new SecretFile(file.path, 'test', lines.join('\n'))
    const found = asText(await secretsFor(read(damaged), sourceOf(people.anna), wanted(['A'])))
    expect(found).toEqual([expect.stringMatching(`^secrets/test.yml:${begin}: A of hcn is damaged`)])
  })

  test('does not tell how long it is, but roughly', async () => {
    const lengths = ['a'.repeat(10), 'a'.repeat(50)].map(async value => {
      const sealed = await sealValue(place('A'), { value, generated: false }, recipients('anna'))
      return sealed.length
    })
    expect(new Set(await Promise.all(lengths)).size).toBe(1)
  })
})

describe('a file', () => {
  const sealed = `|\n    ${armorBegin}\n    x\n`

  test.each([
    ['share: {}', ['1: unknown field "share"; did you mean "shared"?']],
    ['shared:\n  A: geheim', ['2: shared.A: expected an encrypted value, found another one']],
    ['services:\n  hcn:\n    A: geheim', ['3: services.hcn.A: expected an encrypted value']],
    [`shared:\n  a-b: ${sealed}  1c: ${sealed}`, ['2: shared: "a-b" is no name of a secret', '5: shared: "1c" is no']],
    [`shared:\n  A: ${sealed}  A: ${sealed}`, ['5: expected YAML, found duplicate key']],
    ['shared:\n  A: [geheim]', ['2: shared.A: expected a text, found a map, a list or a reference']],
    ['shared:\n  A: *geheim', ['2: shared.A: expected a text']],
    ['shared:\n  A: "geheim\\q"', ['2: expected YAML, found bad dq escape']],
    ['shared:\n  A: !geheim x', ['2: expected YAML, found tag resolve failed']],
    ['shared: geheim', ['1: shared: expected names with their values']],
    ['geheim', ['1: the file: expected names']],
    ['readers: { anna: }\nservices: { Hcn: }', ['1: readers.anna: expected a text', '2: services: "Hcn" is no name']],
  ])('with mistakes tells all of them with lines, and no value: %j', (text, mistakes) => {
    const problem = (() => {
      try {
        return new SecretFile('secrets/test.yml', 'test', text)
      } catch (error) {
        return error
      }
    })()
    expect(problem).toBeInstanceOf(SecretsError)
    const found = (problem as SecretsError).mistakes
    expect(found).toEqual(mistakes.map(mistake => expect.stringContaining(`secrets/test.yml:${mistake}`)))
    expect(found.join('\n')).not.toContain('"geheim"')
    if (text !== 'geheim') expect(found.join('\n')).not.toContain('geheim')
  })

  test('keeps what somebody wrote: comments, order, empty lines', async () => {
    const before = `# Ours. Ask Anna.
readers:
  anna: ${people.anna.recipient} # since May

# What the mail needs
shared:
  Z: ${sealed}
  # the old one
  B: ${sealed}
services:
  geo:
    A: |
      ${armorBegin}
      x
`
    const file = new SecretFile('secrets/test.yml', 'test', before)
    file.put(place('B'), `${armorBegin}\nnew\n`)
    file.put(place('C', 'hcn'), `${armorBegin}\nmore\n`)
    const after = before
      .replace(/(B: \|\n {4}.*\n {4})x/, '$1new')
      .concat(`  hcn:\n    C: |\n      ${armorBegin}\n      more\n`)
    expect(file.text).toBe(after)
    expect(file.remove(place('C', 'hcn'))).toBe(true)
    expect(file.remove(place('C', 'hcn'))).toBe(false)
    expect(file.remove(place('A', 'geo'))).toBe(true)
    expect(file.text).toBe(`${after.slice(0, after.indexOf('services:')).trimEnd()}\n`)
    file.setReaders(recipients('boris'))
    expect(file.readers).toEqual(recipients('boris'))
    expect(file.text).toContain('# What the mail needs')
  })

  test('is replaced as a whole, and not at all when something fails', async () => {
    await folder.change('live', inTurn, async file => file.put(place('A'), `${armorBegin}\n`))
    const path = join(root, 'secrets', 'live.yml')
    const before = readFileSync(path, 'utf8')
    const failing = folder.change('live', inTurn, async file => {
      file.remove(place('A'))
      throw new Error('in the middle')
    })
    await expect(failing).rejects.toThrow('in the middle')
    expect(readFileSync(path, 'utf8')).toBe(before)
    mkdirSync(`${path}.new`)
    await expect(folder.change('live', inTurn, async file => file.remove(place('A')))).rejects.toThrow('EISDIR')
    expect(readFileSync(path, 'utf8')).toBe(before)
    rmSync(`${path}.new`, { recursive: true })
    // What a killed process left.
    writeFileSync(`${path}.new`, 'half')
    await folder.change('live', inTurn, async file => file.put(place('B'), `${armorBegin}\n`))
    expect(folder.read('live').secrets.map(({ name }) => name)).toEqual(['A', 'B'])
  })
})

describe('encrypted anew', () => {
  test('it is for those who are readers now, and for nobody else', async () => {
    const file = await fileWith([
      [place('A', 'hcn'), 'a'],
      [place('B'), 'b'],
    ])
    expect(await rekeyFile(file, recipients('boris'), [people.anna])).toBe(2)
    expect(asText(await secretsFor(read(file), sourceOf(people.boris), wanted(['A', 'B'])))).toEqual({ A: 'a', B: 'b' })
    expect(asText(await secretsFor(read(file), sourceOf(people.anna), wanted(['A'])))).toEqual([
      expect.stringContaining('its readers are boris'),
    ])
  })

  test('a copy for another environment belongs there', async () => {
    const from = await fileWith([[place('A', 'hcn'), 'a']])
    const to = new SecretFile('secrets/test7.yml', 'test7', undefined)
    await copySecrets(from, to, recipients('anna'), [people.anna])
    expect(asText(await secretsFor(read(to), sourceOf(people.anna), wanted(['A'], 'hcn', 'test7')))).toEqual({ A: 'a' })
  })

  test('nothing is when something cannot be read', async () => {
    const file = await fileWith([[place('A', 'hcn'), 'a']])
    const before = file.text
    await expect(rekeyFile(file, recipients('boris'), [people.boris])).rejects.toThrow('cannot be read by')
    expect(file.text).toBe(before)
  })
})

describe('an edited text', () => {
  const before = [
    { ...place('A', 'hcn'), value: 'a', generated: false },
    { ...place('B'), value: 'b: "b"\n# c', generated: true },
  ]

  test('that was left alone changes nothing, whatever the values are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), value => {
        fc.pre(value !== '')
        const secrets = [{ ...place('A', 'hcn'), value, generated: false }, before[1]!]
        expect(changesIn(textToEdit('test', secrets), 'test', secrets)).toEqual({ set: [], remove: [] })
      }),
    )
  })

  test('says what is new, other and gone; texts count as they are written', () => {
    const text = 'shared:\n  NEW: 0123\n  YES: true\nservices:\n  hcn:\n    A: 1e3 # other\n'
    expect(changesIn(text, 'test', before)).toEqual({
      set: [
        { ...place('NEW'), value: '0123' },
        { ...place('YES'), value: 'true' },
        { ...place('A', 'hcn'), value: '1e3' },
      ],
      remove: [place('B')],
    })
  })

  test.each([
    ['shared:\n  A: "geheim\n', 'line 3: expected YAML, found missing char'],
    ['shared:\n  A:\n', 'line 2: shared.A: expected a text, found nothing'],
    ['readers: { anna: geheim }\n', 'line 1: unknown field "readers"'],
  ])('with a mistake is refused with its line, and without its values: %j', (text, words) => {
    expect(() => changesIn(text, 'test', before)).toThrow(words)
    expect(() => changesIn(text, 'test', before)).not.toThrow('geheim')
  })
})
