// Which of several programs that a project makes its image starts, where that has to be known.
import { basename } from 'node:path'
import { BuildError } from '../build-error.ts'

export interface OneProgram<T> {
  readonly program: T
  readonly args: readonly string[]
}

interface Named {
  readonly name: string
}

/**
 * @param start `build.start`: the name of one of them, and arguments
 * @param preferred that of the project, which is taken when nothing is said
 * @param kind as its language calls it: `main package`
 * @throws BuildError that names what there is
 */
export function oneProgram<T extends Named>(
  programs: readonly T[],
  start: readonly string[] | undefined,
  preferred: string | undefined,
  kind: string,
  directory: string,
): OneProgram<T> {
  const names = programs.map(({ name }) => name).toSorted()
  if (programs.length === 0) throw new BuildError(`expected a ${kind} in ${directory}, but there is none`)
  if (start !== undefined) {
    const [wanted = '', ...args] = start
    const program = programs.find(({ name }) => name === basename(wanted))
    if (program !== undefined) return { program, args }
    throw new BuildError(`build.start: there is no ${kind} "${wanted}" in ${directory}; there is ${names.join(', ')}`)
  }
  const program = programs.length === 1 ? programs[0] : programs.find(({ name }) => name === preferred)
  if (program !== undefined) return { program, args: [] }
  throw new BuildError(
    `${directory} has several of the kind "${kind}": ${names.join(', ')}; say which one is started, in app.yml: build: { start: ${names[0]} }`,
  )
}
