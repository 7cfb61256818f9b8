// `sampan secret ...`: the encrypted values of an environment. Values come from standard input, a hidden prompt or an
// editor, and never stand in arguments, messages or the environment of other processes.
import { randomInt } from 'node:crypto'
import { userInfo } from 'node:os'
import { identityFile, makeIdentity, readIdentities, type IdentitySource } from '../../delivery/secrets/identities.ts'
import { changesIn, textToEdit } from '../../delivery/secrets/edited-secrets.ts'
import { openAll, rekeyFile } from '../../delivery/secrets/rekey-file.ts'
import type { SecretFile } from '../../delivery/secrets/secret-file.ts'
import { SecretFolder, type OneAtATime } from '../../delivery/secrets/secret-folder.ts'
import {
  placeText,
  samePlace,
  secretCommand,
  secretNameRule,
  secretNames,
  type SecretPlace,
} from '../../delivery/secrets/secret-place.ts'
import { SecretsError } from '../../delivery/secrets/secrets-error.ts'
import { locateSecret, openSecret } from '../../delivery/secrets/secrets-for.ts'
import { sealValue, type SecretValue } from '../../delivery/secrets/sealed-value.ts'
import { formatTime, type Clock } from '../../lib/clock.ts'
import { hiddenPrompt } from '../hidden-prompt.ts'
import { CommandFailure, Output } from '../output.ts'
import { editorPlaces, editPrivately } from '../private-editor.ts'
import {
  changeOfReaders,
  checkService,
  environmentIn,
  findSecretProject,
  readersFor,
  readersIn,
  servicesThatUse,
  type Readers,
  type SecretEnvironment,
  type SecretProject,
} from '../secret-project.ts'

export interface SecretOptions {
  readonly environment: string
  readonly output?: 'json'
  readonly identity: IdentitySource
  readonly oneAtATime: OneAtATime
}

/** What all of them are about. */
interface Setting {
  readonly project: SecretProject
  readonly environment: SecretEnvironment
  readonly folder: SecretFolder
  readonly output: Output
  readonly options: SecretOptions
}

/** @param service whose secrets are meant, when it is known */
function settingOf(options: SecretOptions, service?: string): Setting {
  const project = findSecretProject(process.cwd(), service)
  return {
    project,
    environment: environmentIn(project, options.environment),
    folder: new SecretFolder(project.root),
    output: new Output(),
    options,
  }
}

/** @param words `[SERVICE] NAME` */
function placeOf(words: readonly string[], options: SecretOptions): { setting: Setting; place: SecretPlace } {
  const [service, name] = words.length === 1 ? [undefined, words[0]!] : [words[0], words[1]!]
  if (words.length > 2) throw new CommandFailure(`expected SERVICE NAME or NAME, found ${words.length} words`)
  if (!secretNames.test(name))
    throw new CommandFailure(
      name.includes('=')
        ? 'expected the name alone; the value is asked for, or comes from standard input'
        : `expected a name of ${secretNameRule}, found ${JSON.stringify(name)}`,
    )
  const setting = settingOf(options, service)
  if (service !== undefined) checkService(setting.project, service)
  return { setting, place: { environment: setting.environment.name, service, name } }
}

export async function secretSet(
  words: readonly string[],
  options: SecretOptions & { readonly generate?: boolean },
): Promise<void> {
  const { setting, place } = placeOf(words, options)
  await recipientsOf(setting, setting.folder.read(place.environment))
  const secret = options.generate ? generatedSecret() : await askedSecret(place)
  await put(setting, place, secret)
}

async function put(setting: Setting, place: SecretPlace, secret: SecretValue): Promise<void> {
  const { folder, output, options } = setting
  const { readers, path } = await folder.change(place.environment, options.oneAtATime, async file => {
    const recipients = await recipientsOf(setting, file)
    file.setReaders(recipients)
    file.put(place, await sealValue(place, secret, recipients))
    return { readers: Object.keys(recipients), path: file.path }
  })
  const rolls = rollsWith(setting, place)
  if (options.output === 'json') return print({ ...jsonPlace(place), file: path, readers, rolls })
  output.line(`✓ ${placeText(place)} is set in ${path}, for ${readers.join(', ')}`)
  output.line(rollText(place, rolls))
}

const recipientsOf = ({ project, options }: Setting, file: SecretFile): Promise<Readers> =>
  readersFor(project, file, async () => {
    const [own] = await readIdentities(options.identity)
    return { [userInfo().username]: own!.recipient }
  })

export async function secretGet(words: readonly string[], options: SecretOptions): Promise<void> {
  const { setting, place } = placeOf(words, options)
  const { folder, environment } = setting
  const located = locateSecret(
    folder,
    { environment: environment.name, extends: environment.extends, service: place.service },
    place.name,
  )
  if (located === undefined)
    throw new CommandFailure(
      `there is no ${placeText(place)} in ${folder.pathOf(environment.name)}; set it with "${secretCommand('set', place)}"`,
    )
  const opened = await openSecret(located.file, located.secret, await readIdentities(options.identity))
  if (typeof opened === 'string') throw new SecretsError([opened])
  if (options.output === 'json') return print({ ...jsonPlace(located.secret), value: opened.value })
  process.stdout.write(process.stdout.isTTY ? `${opened.value}\n` : opened.value)
}

export async function secretList(service: string | undefined, options: SecretOptions): Promise<void> {
  const { project, folder, environment, output } = settingOf(options, service)
  if (service !== undefined) checkService(project, service)
  const own = folder.read(environment.name)
  const found = new Map<string, SecretPlace>()
  for (const each of [environment.name, ...environment.extends])
    for (const secret of folder.read(each).secrets) {
      const counts = service === undefined || secret.service === undefined || secret.service === service
      if (counts && !found.has(placeText(secret))) found.set(placeText(secret), secret)
    }
  const change = changeOfReaders(own.readers, readersIn(project, environment.name) ?? own.readers)
  if (change !== undefined && own.secrets.length > 0)
    output.warn(
      `the readers of ${environment.name} have changed: ${change}; run "sampan secret rekey -e ${environment.name}"`,
    )
  if (options.output === 'json')
    return print({
      environment: environment.name,
      file: own.path,
      readers: Object.keys(own.readers),
      secrets: [...found.values()].map(jsonPlace),
    })
  for (const place of found.values())
    console.log(`${placeText(place)}${place.environment === environment.name ? '' : ` (from ${place.environment})`}`)
}

export async function secretRemove(words: readonly string[], options: SecretOptions): Promise<void> {
  const { setting, place } = placeOf(words, options)
  const { folder, output } = setting
  const path = folder.pathOf(place.environment)
  const rolls = rollsWith(setting, place)
  if (!(await folder.change(place.environment, options.oneAtATime, async file => file.remove(place))))
    throw new CommandFailure(`there is no ${placeText(place)} in ${path}${elsewhere(setting, place)}`)
  if (options.output === 'json') return print({ ...jsonPlace(place), file: path, rolls })
  output.line(`✓ ${placeText(place)} is removed from ${path}`)
  output.line(rollText(place, rolls))
}

/** Where else it stands, when it comes from there. */
function elsewhere({ folder, environment }: Setting, { service, name }: SecretPlace): string {
  const found = locateSecret(folder, { environment: environment.name, extends: environment.extends, service }, name)
  return found === undefined ? '' : `; it is ${placeText(found.secret)} in ${found.file.path}`
}

export async function secretEdit(options: SecretOptions): Promise<void> {
  const setting = settingOf(options)
  const { folder, output, environment } = setting
  const { name } = environment
  const file = folder.read(name)
  await recipientsOf(setting, file)
  const before = file.secrets.length === 0 ? [] : await openAll(file, await readIdentities(options.identity))
  const places = editorPlaces(process.env)
  const changes = await editPrivately(
    places,
    `${name}.yml`,
    textToEdit(name, before),
    text => {
      const found = changesIn(text, name, before)
      for (const { service } of found.set) if (service !== undefined) checkService(setting.project, service)
      return found
    },
    error => goesOn(output, error),
  )
  const changed = [...changes.set, ...changes.remove]
  if (changed.length > 0)
    await folder.change(name, options.oneAtATime, async current => {
      const recipients = await recipientsOf(setting, current)
      const touched = changed.filter(place => current.find(place)?.sealed !== file.find(place)?.sealed)
      if (touched.length > 0)
        throw new CommandFailure(
          `${touched.map(placeText).join(', ')} was changed by somebody else meanwhile; nothing was written, edit it anew`,
        )
      current.setReaders(recipients)
      for (const place of changes.remove) current.remove(place)
      for (const secret of changes.set)
        current.put(secret, await sealValue(secret, { value: secret.value, generated: false }, recipients))
    })
  if (options.output === 'json')
    return print({
      environment: name,
      file: file.path,
      set: changes.set.map(jsonPlace),
      removed: changes.remove.map(jsonPlace),
    })
  if (changed.length === 0) return output.line('nothing was changed')
  for (const place of changes.set) output.line(`✓ ${placeText(place)} is set`)
  for (const place of changes.remove) output.line(`✓ ${placeText(place)} is removed`)
}

/** On a terminal what was typed is not lost with a mistake. */
async function goesOn(output: Output, error: unknown): Promise<boolean> {
  if (!process.stdin.isTTY || !(error instanceof SecretsError || error instanceof CommandFailure)) return false
  output.error(error.message)
  await hiddenPrompt('Enter to go on editing, Ctrl-C to leave it as it was', {
    input: process.stdin,
    output: process.stderr,
  })
  return true
}

export async function secretRekey(options: SecretOptions): Promise<void> {
  const { project, folder, environment, output } = settingOf(options)
  const { name } = environment
  const identities = await readIdentities(options.identity)
  const { count, before, now, path } = await folder.change(name, options.oneAtATime, async file => {
    const old = file.readers
    const readers = readersIn(project, name) ?? old
    if (Object.keys(readers).length === 0)
      throw new CommandFailure(`${file.path} has no readers to encrypt for; name them under readers: NAME: age1...`)
    return { count: await rekeyFile(file, readers, identities), before: old, now: readers, path: file.path }
  })
  const gone = Object.keys(before).filter(reader => now[reader] === undefined || now[reader] !== before[reader])
  if (options.output === 'json')
    return print({ environment: name, file: path, readers: Object.keys(now), takenOut: gone, values: count })
  output.line(
    `✓ ${count} ${count === 1 ? 'value is' : 'values are'} encrypted anew in ${path}; from now on ${Object.keys(now).join(', ')} can read ${count === 1 ? 'it' : 'them'}`,
  )
  if (!Object.values(now).some(recipient => identities.some(own => own.recipient === recipient)))
    output.warn('you are not among them')
  if (gone.length > 0)
    output.warn(
      `${gone.join(', ')} could read the old values, and still can in the repository's history; give new ones with "sampan secret rotate -e ${name} [SERVICE] NAME"`,
    )
}

export async function secretRotate(words: readonly string[], options: SecretOptions): Promise<void> {
  const { setting, place } = placeOf(words, options)
  const file = setting.folder.read(place.environment)
  const secret = file.find(place)
  if (secret === undefined)
    throw new CommandFailure(`there is no ${placeText(place)} in ${file.path}${elsewhere(setting, place)}`)
  await recipientsOf(setting, file)
  const opened = await openSecret(file, secret, await readIdentities(options.identity))
  if (typeof opened === 'string') throw new SecretsError([opened])
  const next = opened.generated ? generatedSecret() : await askedSecret(place)
  if (next.value === opened.value) throw new CommandFailure(`${placeText(place)} has this value already`)
  await put(setting, place, next)
}

export interface KeygenOptions {
  readonly file?: string
  readonly name?: string
  readonly output?: 'json'
  readonly identity: IdentitySource
  readonly clock: Clock
}

export async function secretKeygen(options: KeygenOptions): Promise<void> {
  const file = options.file ?? identityFile(options.identity)
  const name = options.name ?? userInfo().username
  const { recipient } = await makeIdentity(file, formatTime(options.clock.now()))
  if (options.output === 'json') return print({ name, recipient, file })
  const output = new Output()
  output.line(`✓ your identity is in ${file}; keep it to yourself, and a copy of it where you keep passwords`)
  output.line('This line belongs under "people" in sampan.yml, and the name under the "readers" of environments:')
  console.log(`  ${name}: ${recipient}`)
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const generatedLetters = 40

/** Some 238 bits, in letters that need quotes nowhere. */
const generatedSecret = (): SecretValue => ({
  value: Array.from({ length: generatedLetters }, () => letters[randomInt(letters.length)]).join(''),
  generated: true,
})

async function askedSecret(place: SecretPlace): Promise<SecretValue> {
  const { stdin, stderr } = process
  const value = stdin.isTTY
    ? await hiddenPrompt(`Value of ${placeText(place)} in ${place.environment} (not shown): `, {
        input: stdin,
        output: stderr,
      })
    : await standardInput()
  if (value === '')
    throw new CommandFailure(`expected the value of ${placeText(place)} on standard input, found nothing`)
  if (value.includes('\0')) throw new CommandFailure('expected a text as the value, found a zero byte in it')
  return { value, generated: false }
}

/** Without the line break that ends it. */
async function standardInput(): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(piece as Buffer)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(pieces))
      .replace(/\r?\n$/, '')
  } catch {
    throw new CommandFailure('expected a text in UTF-8 as the value; encode other bytes, for example with base64')
  }
}

interface Roll {
  readonly environment: string
  readonly services: readonly string[]
}

/** Where instances get this very value, in this environment and in those that extend it. */
function rollsWith({ project, folder }: Setting, place: SecretPlace): Roll[] {
  return project.environments
    .filter(({ name, extends: parents }) => name === place.environment || parents.includes(place.environment))
    .map(environment => ({
      environment: environment.name,
      services: servicesThatUse(project, environment.name, place.name).filter(service => {
        const { name, extends: parents } = environment
        const found = locateSecret(folder, { environment: name, extends: parents, service }, place.name)
        return found !== undefined && samePlace(found.secret, place)
      }),
    }))
    .filter(({ services }) => services.length > 0)
}

const rollText = ({ name }: SecretPlace, rolls: readonly Roll[]): string =>
  rolls.length === 0
    ? `no app.yml has ${name} among its secrets, so that no instance gets it`
    : `the next deploy rolls ${rolls.map(({ environment, services }) => `${services.join(', ')} in ${environment}`).join('; ')}`

const jsonPlace = ({ environment, service, name }: SecretPlace) => ({ environment, service: service ?? null, name })

const print = (result: unknown): void => console.log(JSON.stringify(result, undefined, 2))
