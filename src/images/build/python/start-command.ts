// How a Python service is started: as somebody says it, else as its files are usually meant. A server for production
// has to be among its packages; the server that a framework has for its developers is none.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { shellWords } from '../../../lib/shell-words.ts'
import { BuildError } from '../build-error.ts'
import { describePython, scriptsOf } from './python-project.ts'

export interface PythonStart {
  readonly command: readonly string[]
  /** Why it is this one, for people. */
  readonly because: string
}

/** Names of scripts that start a service. */
const usualScripts = ['start', 'serve', 'server', 'web', 'run']
const usualFiles = [
  'app.py',
  'main.py',
  'asgi.py',
  'wsgi.py',
  'server.py',
  'src/app.py',
  'src/main.py',
  'app/main.py',
  'app/app.py',
]

/**
 * @param directory what goes into the image
 * @param packages installed ones, as an index writes them
 * @throws BuildError
 */
export function pythonStart(
  directory: string,
  start: readonly string[] | undefined,
  packages: ReadonlySet<string>,
): PythonStart {
  if (start !== undefined) return { command: start, because: 'build.start' }
  const found =
    fromScripts(directory) ??
    fromProcfile(directory) ??
    fromDjango(directory, packages) ??
    fromFiles(directory, packages)
  if (found !== undefined) return found
  const scripts = [...scriptsOf(directory).keys()]
  throw new BuildError(
    `cannot tell how the service in ${directory} is started${scripts.length > 1 ? `: [project.scripts] has ${scripts.join(', ')}, and none is called ${usualScripts.join(', ')}` : ''}; say it in app.yml, such as build: { start: python main.py }, or with [project.scripts] in pyproject.toml, a Procfile with "web: COMMAND", or a file app.py or main.py`,
  )
}

/** `package.module:function`, called as the program would that pip makes of it. */
function fromScripts(directory: string): PythonStart | undefined {
  const scripts = scriptsOf(directory)
  const { name } = describePython(directory)
  const chosen = [...usualScripts, name ?? ''].find(candidate => scripts.has(candidate))
  const script = chosen ?? (scripts.size === 1 ? [...scripts.keys()][0] : undefined)
  const target = script === undefined ? undefined : scripts.get(script)
  if (script === undefined || target === undefined) return undefined
  const [module = '', call = ''] = target.replace(/\s*\[.*$/, '').split(':')
  if (!/^[\w.]+$/.test(module) || !/^[\w.]+$/.test(call))
    throw new BuildError(
      `expected PACKAGE.MODULE:FUNCTION for the script ${script} of pyproject.toml, found "${target}"`,
    )
  return {
    command: ['python', '-c', `import sys; import ${module}; sys.exit(${module}.${call}())`],
    because: `the script ${script} of pyproject.toml`,
  }
}

function fromProcfile(directory: string): PythonStart | undefined {
  const file = join(directory, 'Procfile')
  const text = existsSync(file) ? /^web:\s*(.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
  if (text === undefined) return undefined
  // Variables are inserted when the container starts; the rest has to do without a shell.
  const marked = text.replaceAll(
    /\$\{(\w+)(?::-([^}'"\s]*))?\}|\$(\w+)/g,
    (_all, inBraces, instead, bare) =>
      `\x01${String(inBraces ?? bare)}${instead === undefined ? '' : `:-${String(instead)}`}\x02`,
  )
  const words = shellWords(marked)
  if ('problem' in words)
    throw new BuildError(
      `the line "web: ${text}" of ${file} cannot run in an image: ${words.problem}${words.shell ? ', which the image has not' : ''}; let it start one program, or say build: { start: COMMAND } in app.yml`,
    )
  return {
    command: words.words.map(word => word.replaceAll('\x01', '${').replaceAll('\x02', '}')),
    because: 'the Procfile',
  }
}

function fromDjango(directory: string, packages: ReadonlySet<string>): PythonStart | undefined {
  if (!existsSync(join(directory, 'manage.py'))) return undefined
  const module = (kind: string): string | undefined =>
    readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory() && existsSync(join(directory, entry.name, `${kind}.py`)))
      .map(({ name }) => `${name}.${kind}:application`)[0]
  const [web, asynchronous] = [module('wsgi'), module('asgi')]
  const found =
    (web === undefined ? undefined : synchronousServer(packages, web)) ??
    (asynchronous === undefined ? undefined : asynchronousServer(packages, asynchronous))
  if (found !== undefined) return { command: found, because: 'manage.py' }
  throw new BuildError(
    `${directory} is a Django project (manage.py), whose own server is for developers; add gunicorn or uvicorn to its dependencies, or say build: { start: COMMAND } in app.yml`,
  )
}

const frameworks = {
  asynchronous: ['fastapi', 'starlette', 'quart', 'litestar', 'sanic', 'blacksheep'],
  web: ['flask', 'bottle', 'falcon', 'pyramid'],
}
const application = /^(app|application|api)\s*(?::\s*[\w.[\]]+\s*)?=/m

function fromFiles(directory: string, packages: ReadonlySet<string>): PythonStart | undefined {
  const file = usualFiles.find(name => existsSync(join(directory, name)))
  if (file === undefined) return packageWithMain(directory)
  const text = readFileSync(join(directory, file), 'utf8')
  const name = application.exec(text)?.[1]
  const isAsynchronous = frameworks.asynchronous.some(framework => packages.has(framework))
  if (name !== undefined) {
    const module = `${file
      .replace(/^src\//, '')
      .replace(/\.py$/, '')
      .replaceAll('/', '.')}:${name}`
    const server = isAsynchronous
      ? asynchronousServer(packages, module)
      : (synchronousServer(packages, module) ?? asynchronousServer(packages, module))
    if (server !== undefined) return { command: server, because: `${module} of ${file}` }
  }
  const isFramework = isAsynchronous || frameworks.web.some(framework => packages.has(framework))
  if (isFramework && name !== undefined && !/^if\s+__name__\s*==/m.test(text))
    throw new BuildError(
      `${file} of ${directory} has the application "${name}" and starts no server; add ${isAsynchronous ? 'uvicorn' : 'gunicorn'} to its dependencies, or say build: { start: COMMAND } in app.yml`,
    )
  return { command: ['python', file], because: file }
}

function packageWithMain(directory: string): PythonStart | undefined {
  for (const place of ['', 'src']) {
    const folder = join(directory, place)
    if (!existsSync(folder)) continue
    const found = readdirSync(folder).filter(name => existsSync(join(folder, name, '__main__.py')))
    if (found.length === 1)
      return { command: ['python', '-m', basename(found[0]!)], because: join(place, found[0]!, '__main__.py') }
  }
  return undefined
}

const address = '0.0.0.0:${PORT}'

function synchronousServer(packages: ReadonlySet<string>, module: string): string[] | undefined {
  if (packages.has('gunicorn')) return ['python', '-m', 'gunicorn', '--bind', address, module]
  return packages.has('waitress') ? ['python', '-m', 'waitress', `--listen=${address}`, module] : undefined
}

function asynchronousServer(packages: ReadonlySet<string>, module: string): string[] | undefined {
  if (packages.has('uvicorn')) return ['python', '-m', 'uvicorn', '--host', '0.0.0.0', '--port', '${PORT}', module]
  return packages.has('hypercorn') ? ['python', '-m', 'hypercorn', '--bind', address, module] : undefined
}
