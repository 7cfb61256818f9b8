// Python, as a folder is known to be of it; what makes the image is loaded when one is made.
import type { Builder } from '../builder.ts'
import { plainDevelopment } from '../command/plain-development.ts'
import { filesKey } from '../layers/files-key.ts'
import { serviceFiles } from '../layers/service-files.ts'
import { describePython, findsPython, leftOut, looksFor } from './python-project.ts'

export const pythonBuilder: Builder = {
  name: 'python',
  title: 'Python',
  looksFor,
  finds: findsPython,
  describe: describePython,
  development: (directory, settings) =>
    plainDevelopment(directory, settings, serviceFiles(directory, leftOut), [
      'pyproject.toml',
      'requirements.txt',
      'uv.lock',
      'poetry.lock',
      'Pipfile.lock',
      'Procfile',
    ]),
  async surroundings(directory) {
    const { findPython } = await import('./interpreter.ts')
    const { program, version } = await findPython(directory)
    return filesKey([program], version)
  },
  build: async context => (await import('./build-python.ts')).buildPython(context),
}
