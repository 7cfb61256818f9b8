// Certificates as HAProxy has them: a file for each, and for each entrance a list of who is shown which. Files and lists
// change while it runs; the first of a list, which is shown to whoever asks for nothing that is there, stays where it is
// and gets another content. Pure.
import { hashOf } from '../model/backends.ts'
import type { Entrance, GatewayModel, HostName, ShownCertificate } from '../model/model.ts'
import { entranceName } from './names.ts'

export interface CertificateLayout {
  /** PEM with its key, by file. */
  readonly pems: ReadonlyMap<string, string>
  /** By the file of the list: what stands behind each certificate's file; nothing: the names in the certificate. */
  readonly lists: ReadonlyMap<string, ReadonlyMap<string, string>>
}

export const certificateDirectory = (directory: string): string => `${directory}/certificates`

/** Without a certificate there is no TLS. */
export const canServe = ({ tls }: Pick<Entrance, 'tls'>): boolean => tls === undefined || tls.certificates.length > 0

export const listFile = (entrance: Entrance, directory: string): string =>
  `${certificateDirectory(directory)}/${entranceName(entrance)}.list`

export function certificateLayout(
  { entrances, backends, certificates }: Pick<GatewayModel, 'entrances' | 'backends' | 'certificates'>,
  directory: string,
): CertificateLayout {
  const pems = new Map<string, string>()
  const lists = new Map<string, ReadonlyMap<string, string>>()
  const pemOf = (id: string): string => certificates.get(id)?.pem ?? ''
  for (const entrance of entrances) {
    if (entrance.tls === undefined) continue
    const shown = entrance.tls.certificates.filter(({ id }) => certificates.has(id))
    const first = shown.find(({ to }) => to?.kind === 'any') ?? shown[0]
    if (first === undefined) continue
    const firstFile = `${certificateDirectory(directory)}/${entranceName(entrance)}.pem`
    pems.set(firstFile, pemOf(first.id))
    const list = new Map([[firstFile, toNobody]])
    for (const { id, names } of entriesOf(shown)) {
      const file = `${certificateDirectory(directory)}/${fileName(id, names)}.pem`
      pems.set(file, pemOf(id))
      list.set(file, names)
    }
    lists.set(listFile(entrance, directory), list)
  }
  for (const { tls, clientCertificate } of backends.values())
    if (tls !== undefined && clientCertificate !== undefined && certificates.has(clientCertificate))
      pems.set(clientFile(clientCertificate, directory), pemOf(clientCertificate))
  return { pems, lists }
}

/** Of one that services are shown: its content changes while HAProxy runs. */
export const clientFile = (id: string, directory: string): string =>
  `${certificateDirectory(directory)}/client-${fileName(id, 'services')}.pem`

/** No name is asked for that it is shown to; the first of all is shown where nothing else is. */
const toNobody = '!*'

/** Each certificate once with all names, of which each counts for the first one that has it. */
function entriesOf(shown: readonly ShownCertificate[]): readonly { readonly id: string; readonly names: string }[] {
  const taken = new Set<string>()
  const named = new Map<string, string[]>()
  const inside = new Set<string>()
  for (const { id, to } of shown) {
    if (to === undefined) inside.add(id)
    const name = to === undefined ? undefined : filterOf(to)
    if (name === undefined || taken.has(name)) continue
    taken.add(name)
    named.set(id, [...(named.get(id) ?? []), name])
  }
  return [
    ...Array.from(named, ([id, names]) => ({ id, names: names.join(' ') })),
    ...Array.from(inside, id => ({ id, names: '' })),
  ]
}

/** HAProxy's star is one label. What could be read as something else is nobody's name. */
function filterOf(to: HostName): string | undefined {
  const text = to.kind === 'exact' ? to.name : to.kind === 'any' ? '' : `*.${to.below}`
  return /^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(text) ? text.toLowerCase() : undefined
}

/** Another one when other names are shown it, so that the entry before goes on until this one is there. */
const fileName = (id: string, names: string): string =>
  `${id.replaceAll(/[^\w.-]/g, '_').slice(0, 200)}-${hashOf([id, names])}`

export const listText = (entries: ReadonlyMap<string, string>): string =>
  [...entries].map(([file, names]) => `${entryText(file, names)}\n`).join('')

const entryText = (file: string, names: string): string => (names === '' ? file : `${file} [] ${names}`)

export interface CertificateChange {
  /** Before anything leads there. */
  readonly puts: readonly string[]
  readonly drops: readonly string[]
  /** What files hold afterwards; undefined: they go. */
  readonly files: ReadonlyMap<string, string | undefined>
}

/** What fits behind a command, with room to spare. */
const payloadBytes = 15_000

/** @returns undefined when it cannot be told to HAProxy while it runs. Both have the same lists. */
export function certificateChange(before: CertificateLayout, after: CertificateLayout): CertificateChange | undefined {
  const puts: string[] = []
  const drops: string[] = []
  const files = new Map<string, string | undefined>()
  for (const [file, pem] of after.pems) {
    const old = before.pems.get(file)
    if (old === pem) continue
    if (pem.length > payloadBytes) return undefined
    if (old === undefined) puts.push(`new ssl cert ${file}`)
    puts.push(`set ssl cert ${file} <<\n${pem}`, `commit ssl cert ${file}`)
    files.set(file, pem)
  }
  for (const [list, entries] of after.lists) {
    const old = before.lists.get(list) ?? new Map<string, string>()
    const come = [...entries].filter(([file]) => !old.has(file))
    const gone = [...old.keys()].filter(file => !entries.has(file))
    if (come.some(([file, names]) => entryText(file, names).length > payloadBytes)) return undefined
    puts.push(...come.map(([file, names]) => `add ssl crt-list ${list} <<\n${entryText(file, names)}\n`))
    drops.push(...gone.map(file => `del ssl crt-list ${list} ${file}`))
    if (come.length + gone.length > 0) files.set(list, listText(entries))
  }
  for (const file of before.pems.keys())
    if (!after.pems.has(file)) {
      drops.push(`del ssl cert ${file}`)
      files.set(file, undefined)
    }
  return { puts, drops, files }
}

/** By path: what it is loaded with. */
export const certificateFiles = ({ pems, lists }: CertificateLayout): ReadonlyMap<string, string> =>
  new Map([...pems, ...Array.from(lists, ([file, entries]) => [file, listText(entries)] as const)])

/** Behind `bind ADDRESS:PORT`. Source of the ciphers: Mozilla's server side TLS, intermediate, of 2023. */
export const tlsOptions = (list: string): string =>
  [
    ` ssl crt-list ${list}`,
    'alpn h2,http/1.1',
    'ssl-min-ver TLSv1.2',
    `ciphers ${ciphers.join(':')}`,
    `ciphersuites ${suites.join(':')}`,
    'no-tls-tickets',
  ].join(' ')

const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
const suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']
