import { readFileSync } from 'node:fs'
import { parse } from 'smol-toml'
import { BuildError } from './build-error.ts'

/** @throws BuildError when it is not TOML; the first line of what the parser says has the place */
export function readToml<T>(file: string): T {
  try {
    return parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    throw new BuildError(`${file} cannot be read: ${(error as Error).message.split('\n')[0]}`)
  }
}
