// The certificates that the programs of a machine trust: a folder for those that were added, and a program that brings all
// of them to where libraries look.
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './command.ts'

/** What became of a certificate in one place. */
export type TrustState = 'added' | 'present' | 'removed' | 'absent'

interface SystemStore {
  readonly folder: string
  readonly program: string
  readonly adding: readonly string[]
  readonly removing: readonly string[]
}

/** Debian; Fedora; openSUSE; Arch. */
const stores: readonly SystemStore[] = [
  {
    folder: '/usr/local/share/ca-certificates',
    program: 'update-ca-certificates',
    adding: [],
    removing: ['--fresh'],
  },
  {
    folder: '/etc/pki/ca-trust/source/anchors',
    program: 'update-ca-trust',
    adding: ['extract'],
    removing: ['extract'],
  },
  { folder: '/etc/pki/trust/anchors', program: 'update-ca-certificates', adding: [], removing: [] },
  {
    folder: '/etc/ca-certificates/trust-source/anchors',
    program: 'trust',
    adding: ['extract-compat'],
    removing: ['extract-compat'],
  },
]

/** All certificates of the machine are read, and what has lists of its own, as Java has, is told. */
const updateMs = 300_000

export interface SystemTrust {
  readonly file: string
  /** @throws Error when it cannot be written */
  add(certificate: string): Promise<TrustState>
  remove(): Promise<TrustState>
}

/** @param name of the file there, without its ending. @returns undefined where the machine has no such store */
export function systemTrust(name: string): SystemTrust | undefined {
  const store = stores.find(({ folder }) => existsSync(folder))
  if (store === undefined) return undefined
  const file = join(store.folder, `${name}.crt`)
  return {
    file,
    async add(certificate) {
      if ((await readFile(file, 'utf8').catch(() => '')) === certificate) return 'present'
      await writeFile(file, certificate, { mode: 0o644 })
      await run(store.program, store.adding, { timeoutMs: updateMs })
      return 'added'
    },
    async remove() {
      if (!existsSync(file)) return 'absent'
      await rm(file)
      await run(store.program, store.removing, { timeoutMs: updateMs })
      return 'removed'
    },
  }
}
