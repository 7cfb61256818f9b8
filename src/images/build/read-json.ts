import { readFileSync } from 'node:fs'
import { BuildError } from './build-error.ts'

/** @throws BuildError when it is not JSON */
export function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    throw new BuildError(`${file} cannot be read: ${(error as Error).message}`)
  }
}
