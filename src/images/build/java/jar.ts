// What a jar says of itself, and a jar that is the same to the byte whenever its content is. A jar is a ZIP archive;
// source of its layout: PKWARE's APPNOTE, 4.3.
import { unzipSync } from 'fflate'
import type { Component } from '../image-content.ts'

export interface JarManifest {
  readonly mainClass: string | undefined
  /** Relative to where the jar is. */
  readonly classPath: readonly string[]
}

const manifestPath = 'META-INF/MANIFEST.MF'

export function readManifest(jar: Uint8Array): JarManifest {
  const found = unzipSync(jar, { filter: ({ name }) => name === manifestPath })[manifestPath]
  // A line that begins with a space goes on with the one before.
  const lines = Buffer.from(found ?? [])
    .toString()
    .replaceAll(/\r?\n /g, '')
    .split(/\r?\n/)
  const value = (name: string): string | undefined =>
    lines
      .find(line => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  return {
    mainClass: value('Main-Class'),
    classPath: (value('Class-Path') ?? '').split(/\s+/).filter(path => path !== ''),
  }
}

/** The Maven packages in it, and in the jars that it carries. */
export function packagesIn(jar: Uint8Array): Component[] {
  const files = unzipSync(jar, { filter: ({ name }) => /\.jar$|^META-INF\/maven\/.*\/pom\.properties$/.test(name) })
  const found = Object.entries(files).flatMap(([name, content]) =>
    name.endsWith('.jar') ? packagesIn(content) : packageOf(Buffer.from(content).toString()),
  )
  return [...new Map(found.map(component => [component.purl, component])).values()]
}

function packageOf(properties: string): Component[] {
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(properties)?.[1]?.trim() ?? ''
  const [group, artifact, version] = ['groupId', 'artifactId', 'version'].map(value)
  if (!group || !artifact || !version) return []
  return [{ name: artifact, version, purl: `pkg:maven/${group}/${artifact}@${encodeURIComponent(version)}` }]
}

const endOfDirectory = 0x06054b50
const directoryEntry = 0x02014b50
/** The first of January 1980, before which there is no time in a ZIP archive. */
const earliest = { time: 0, date: 0x21 }
/** Extra field with the time of Unix. */
const unixTime = 0x5455

/** A copy in which all files are from 1980. */
export function withoutTimes(jar: Buffer): Buffer {
  const copy = Buffer.from(jar)
  let end = copy.length - 22
  while (end >= 0 && copy.readUInt32LE(end) !== endOfDirectory) end--
  if (end < 0) return copy
  let at = copy.readUInt32LE(end + 16)
  while (at + 46 <= end && copy.readUInt32LE(at) === directoryEntry) {
    const [name, extra, comment] = [28, 30, 32].map(offset => copy.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ]
    const local = copy.readUInt32LE(at + 42)
    setTime(copy, at + 12, at + 46 + name, extra)
    setTime(copy, local + 10, local + 30 + copy.readUInt16LE(local + 26), copy.readUInt16LE(local + 28))
    at += 46 + name + extra + comment
  }
  return copy
}

function setTime(bytes: Buffer, at: number, extra: number, length: number): void {
  bytes.writeUInt16LE(earliest.time, at)
  bytes.writeUInt16LE(earliest.date, at + 2)
  for (let field = extra; field + 4 <= extra + length; field += 4 + bytes.readUInt16LE(field + 2))
    // One byte says which times follow.
    if (bytes.readUInt16LE(field) === unixTime) bytes.fill(0, field + 5, field + 4 + bytes.readUInt16LE(field + 2))
}
