// What a Dockerfile says, as far as it has to be known before somebody builds it: its stages. And where in it an
// instruction is that a program complains of.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildSettings } from '../settings.ts'

export const usualDockerfiles = ['Dockerfile', 'Containerfile']

/** @returns its path in the folder */
export const findDockerfile = (
  directory: string,
  { dockerfile }: Pick<BuildSettings, 'dockerfile'>,
): string | undefined =>
  (dockerfile === undefined ? usualDockerfiles : [dockerfile]).find(name => existsSync(join(directory, name)))

export interface Dockerfile {
  /** Names of the stages that have one. */
  readonly stages: readonly string[]
  readonly stageCount: number
  /** Whether the last stage says who runs it. */
  readonly namesUser: boolean
}

export function readDockerfile(file: string): Dockerfile {
  const lines = readFileSync(file, 'utf8').split(/\r?\n/)
  const from = lines.filter(line => /^\s*FROM\s/i.test(line))
  const last = lines.findLastIndex(line => /^\s*FROM\s/i.test(line))
  return {
    stages: from.flatMap(line => /\sAS\s+(\S+)/i.exec(line)?.[1] ?? []),
    stageCount: from.length,
    namesUser: lines.slice(last + 1).some(line => /^\s*USER\s/i.test(line)),
  }
}

/** The first line that begins with this instruction; counted from 1. */
export function lineOf(file: string, instruction: string): number | undefined {
  const wanted = instruction.trim().toLowerCase()
  if (wanted === '') return undefined
  const index = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .findIndex(line => line.trim().replaceAll(/\s+/g, ' ').toLowerCase().startsWith(wanted))
  return index < 0 ? undefined : index + 1
}
