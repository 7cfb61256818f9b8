// The folder of secret files of a repository. A file is replaced as a whole (a new one, flushed, then renamed), and
// one process at a time changes it.
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { SecretFile } from './secret-file.ts'

/** Does the work while no other process of the machine does what has this name. */
export type OneAtATime = <T>(name: string, work: () => Promise<T>) => Promise<T>

export class SecretFolder {
  private readonly directory: string

  /** @param root of the repository: beside `sampan.yml` or `app.yml` */
  constructor(root: string) {
    this.directory = join(resolve(root), 'secrets')
  }

  /** As people see it from where they are. */
  pathOf(environment: string): string {
    const file = this.fileOf(environment)
    const near = relative(process.cwd(), file)
    return near.startsWith('..') ? file : near
  }

  /** Without secrets when there is no file. @throws SecretsError for a broken one */
  read(environment: string): SecretFile {
    return new SecretFile(this.pathOf(environment), environment, textOf(this.fileOf(environment)))
  }

  /** Nothing is written when the change throws, or changes nothing. */
  change<T>(environment: string, oneAtATime: OneAtATime, change: (file: SecretFile) => Promise<T>): Promise<T> {
    const path = this.fileOf(environment)
    return oneAtATime(`sampan secrets ${createHash('sha256').update(path).digest('hex')}`, async () => {
      const before = textOf(path)
      const file = new SecretFile(this.pathOf(environment), environment, before)
      const start = file.text
      const result = await change(file)
      if (file.text !== start) replaceFile(this.directory, path, file.text)
      return result
    })
  }

  private fileOf(environment: string): string {
    return join(this.directory, `${environment}.yml`)
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function replaceFile(directory: string, path: string, text: string): void {
  mkdirSync(directory, { recursive: true })
  const temporary = `${path}.new`
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0o644
  writeFileSync(temporary, text, { mode, flush: true })
  renameSync(temporary, path)
  const folder = openSync(directory, 'r')
  fsyncSync(folder)
  closeSync(folder)
}
