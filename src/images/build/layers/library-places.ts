// Where Debian keeps shared libraries, and how paths from before Debian put everything below /usr are written today.
import type { LayerEntry } from './layer.ts'

const triplets: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

export const triplet = triplets[process.arch] ?? `${process.arch}-linux-gnu`

/** Where the dynamic linker looks without being told. */
export const libraryFolders: readonly string[] = [
  `/lib/${triplet}`,
  `/usr/lib/${triplet}`,
  '/lib',
  '/usr/lib',
  '/lib64',
  '/usr/lib64',
  '/usr/local/lib',
]

/** In an image where /lib is a link to /usr/lib, an entry below /lib would replace the link by a folder. */
export const belowUsr = (entry: LayerEntry): LayerEntry => ({
  ...entry,
  path: entry.path.replace(/^(?=(?:s?bin|lib(?:32|64|x32)?)(?:\/|$))/, 'usr/'),
})
