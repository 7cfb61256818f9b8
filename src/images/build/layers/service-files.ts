// Which files of a service's folder go into its image: those that its .dockerignore leaves, without what tells
// Sampan how to build and deliver it, without the repository and without secrets of a developer's machine.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dockerIgnore, type FileFilter } from './docker-ignore.ts'

/** A .dockerignore can take them back with `!`. */
export const usuallyIgnored: readonly string[] = [
  '**/.DS_Store',
  '**/.env',
  '**/.env.local',
  '**/.env.*.local',
  '.dockerignore',
  'Dockerfile*',
  'app.yml',
  'sampan.yml',
]

export interface Unneeded {
  /** Names of folders and files that are left out wherever they are, whatever a .dockerignore says. */
  readonly never?: readonly string[]
  /** Patterns of a .dockerignore that come before those of the folder. */
  readonly usually?: readonly string[]
}

/** @param root the folder that the .dockerignore is in, and that it speaks of */
export function serviceFiles(root: string, { never = [], usually = [] }: Unneeded = {}): FileFilter {
  const file = join(root, '.dockerignore')
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split(/\r?\n/) : []
  const { includes, mayHold } = dockerIgnore([...usuallyIgnored, ...usually, ...lines])
  const left = new Set(['.git', ...never])
  const isNever = (path: string): boolean => path.split('/').some(part => left.has(part))
  return {
    includes: path => !isNever(path) && includes(path),
    mayHold: path => !isNever(path) && (includes(path) || mayHold(path)),
  }
}
