// How Go names what is in a folder.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const moduleName = (directory: string): string | undefined =>
  lastElement(/^module\s+"?([^\s"]+)/m.exec(readFileSync(join(directory, 'go.mod'), 'utf8'))?.[1] ?? '')

/** As the go command names a program: `example.com/team/api/v2` makes `api`. */
export const lastElement = (path: string): string | undefined =>
  path
    .split('/')
    .filter(part => part !== '')
    .findLast((part, index) => index === 0 || !/^v\d+$/.test(part))
