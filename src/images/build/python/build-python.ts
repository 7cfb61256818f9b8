// Python: the interpreter of this machine with its standard library, the packages of the lock file in a virtual
// environment, and the service's own modules, all of them compiled.
import { existsSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BuildContext } from '../builder.ts'
import { outputOf } from '../command/build-by-command.ts'
import { runBuild } from '../command/run-build.ts'
import type { ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { applicationFolder, containerConfig, usualPath } from '../layers/container-config.ts'
import { foundation } from '../layers/foundation.ts'
import { entriesBelow, type LayerEntry } from '../layers/layer.ts'
import { serviceFiles } from '../layers/service-files.ts'
import { dependencyLayer, environmentFolder } from './dependency-layer.ts'
import {
  compilePython,
  findPython,
  pythonLayer,
  pythonOfBase,
  pythonProgram,
  type PythonOfMachine,
} from './interpreter.ts'
import { dependenciesOf, leftOut } from './python-project.ts'
import { pythonStart } from './start-command.ts'

/** @throws BuildError */
export async function buildPython(context: BuildContext): Promise<ImageContent> {
  const { directory, base, settings, progress, making } = context
  const needed = dependenciesOf(directory)
  const python = await findPython(directory)
  const home = pythonOfBase(context, python)
  const below = await foundation(context, base === undefined ? [pythonProgram(python)] : [])
  const library = base === undefined ? await pythonLayer(context, python, below) : undefined
  if (library !== undefined) progress(`Python ${python.minor}`, library.cached)
  const packages = needed === undefined ? undefined : await dependencyLayer(context, needed, python, below, home)
  if (packages !== undefined) progress('dependencies', packages.cached)
  await runBuild(context)
  const { directory: source, filter } = outputOf(context, serviceFiles(directory, leftOut))
  const files = await entriesBelow(source, applicationFolder, filter)
  const names = new Set(packages?.components.map(({ purl }) => /pypi\/([^@]+)@/.exec(purl)?.[1] ?? '') ?? [])
  const start = pythonStart(source, settings.start, names)
  progress(`started by ${start.because}`, false)
  const compiled = await compiledModules(files, join(making, 'modules'), python)
  const application = await applicationLayer(context, [
    ...files,
    ...compiled,
    { path: starterPath, kind: 'file', source: Buffer.from(starter) },
  ])
  return {
    layers: [...below.layers, library ?? [], packages ?? [], application].flat(),
    config: containerConfig({
      command: start.command.some(word => word.includes('${'))
        ? ['python3', `/${starterPath}`, ...start.command]
        : start.command,
      variables: variablesOf(source, packages !== undefined),
    }),
    components: [...below.components, ...(packages?.components ?? [])],
  }
}

/** In the image. */
const starterPath = 'usr/local/lib/sampan/start.py'

/** Inserts variables into a command, which becomes this process; there is no shell that could. */
const starter = `import os, re, sys
value = lambda match: os.environ.get(match[1]) or match[2] or ''
words = [re.sub(r'\\$\\{(\\w+)(?::-([^}]*))?\\}', value, word) for word in sys.argv[1:]]
os.execvp(words[0], words)
`

function variablesOf(source: string, hasPackages: boolean): Record<string, string> {
  // The usual layouts: packages in the folder itself, or in src.
  const isBelowSource = existsSync(join(source, 'src')) && !existsSync(join(source, 'src/__init__.py'))
  const own = isBelowSource ? `/${applicationFolder}:/${applicationFolder}/src` : `/${applicationFolder}`
  return {
    PATH: hasPackages ? `/${environmentFolder}/bin:${usualPath}` : usualPath,
    ...(hasPackages && { VIRTUAL_ENV: `/${environmentFolder}` }),
    PYTHONPATH: own,
    // Logs are there when they are written, and nothing is written beside the modules.
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    LANG: 'C.UTF-8',
    SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
  }
}

/** Modules that change in the container are compiled again, so that whoever changes one there sees it. */
async function compiledModules(
  files: readonly LayerEntry[],
  staging: string,
  python: PythonOfMachine,
): Promise<LayerEntry[]> {
  const modules = files.filter(({ path }) => path.endsWith('.py'))
  await mkdir(staging)
  for (const entry of modules) {
    if (entry.kind !== 'file' || typeof entry.source !== 'string') continue
    const target = join(staging, entry.path.slice(applicationFolder.length + 1))
    await mkdir(dirname(target), { recursive: true })
    await copyFile(entry.source, target)
  }
  await compilePython(python, staging, `/${applicationFolder}`, 'checked-hash')
  const all = await entriesBelow(staging, applicationFolder)
  return all.filter(({ path }) => path.endsWith('.pyc'))
}
