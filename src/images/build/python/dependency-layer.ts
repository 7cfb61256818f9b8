// The packages of a Python service in a virtual environment of their own, from its lock file or requirements: wheels
// of the index that pip is configured to use, compared with their hashes where there are some.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import type { Component } from '../image-content.ts'
import type { Foundation } from '../layers/foundation.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow } from '../layers/layer.ts'
import { belowUsr } from '../layers/library-places.ts'
import { nativeLibraries } from '../layers/native-libraries.ts'
import { runTool } from '../run-tool.ts'
import { compilePython, type PythonOfMachine } from './interpreter.ts'
import { lockedRequirements } from './locked-requirements.ts'
import { unpinned, type Dependencies } from './python-project.ts'

/** In the image. */
export const environmentFolder = 'venv'

/** @param home folder of the interpreter in the image */
export async function dependencyLayer(
  context: BuildContext,
  dependencies: Dependencies,
  python: PythonOfMachine,
  below: Foundation,
  home: string,
): Promise<KeptLayer> {
  const { directory, note } = context
  const loose = dependencies.isLock ? [] : unpinned(directory, dependencies.files)
  if (loose.length > 0)
    note(
      `requirements.txt does not say which version of ${loose.join(', ')}; what is kept from before is used until the file changes`,
    )
  const hash = createHash('sha256').update(`1 ${python.version} ${process.arch} ${home} ${below.libraries.join(' ')}`)
  for (const file of dependencies.files) hash.update(file).update(await readFile(join(directory, file)))
  return keptLayer(context, `python-packages-${hash.digest('hex').slice(0, 16)}`, async making => {
    const environment = join(making, environmentFolder)
    const packages = join(environment, 'lib', `python${python.minor}`, 'site-packages')
    await mkdir(packages, { recursive: true })
    await install(context, dependencies, python, packages, making)
    await movePrograms(join(packages, 'bin'), join(environment, 'bin'))
    await writeFile(
      join(environment, 'pyvenv.cfg'),
      `home = ${home}\ninclude-system-site-packages = false\nversion = ${python.version}\n`,
    )
    await compilePython(python, packages, packages.replace(making, ''), 'unchecked-hash')
    const native = await nativeLibraries([packages], below.libraries)
    return {
      entries: [
        ...(await entriesBelow(environment, environmentFolder)),
        {
          path: `${environmentFolder}/bin/python${python.minor}`,
          kind: 'link',
          target: `${home}/python${python.minor}`,
        },
        { path: `${environmentFolder}/bin/python3`, kind: 'link', target: `python${python.minor}` },
        { path: `${environmentFolder}/bin/python`, kind: 'link', target: 'python3' },
        ...native.entries
          .filter(({ path }) => below.lacks(basename(path)))
          .map(entry => (context.base === undefined ? entry : belowUsr(entry))),
      ],
      notes: native.notes,
      components: await packagesIn(packages),
    }
  })
}

async function install(
  context: BuildContext,
  dependencies: Dependencies,
  python: PythonOfMachine,
  target: string,
  making: string,
): Promise<void> {
  const { directory } = context
  if (!(await hasPip(python, directory)))
    throw new BuildError(
      `pip of ${python.program} is needed to install ${dependencies.file}, and is missing on this machine; install it with: apt-get install python3-pip`,
    )
  const requirements = dependencies.isLock
    ? await fromLock(context, dependencies.file, python, making)
    : join(directory, dependencies.file)
  const args = ['-m', 'pip', 'install', '--quiet', '--no-compile', '--only-binary=:all:', '--target', target]
  try {
    await runTool(python.program, [...args, ...(dependencies.isLock ? ['--no-deps'] : []), '-r', requirements], {
      directory,
      project: directory,
      environment: {
        ...process.env,
        PIP_DISABLE_PIP_VERSION_CHECK: '1',
        PIP_NO_INPUT: '1',
        PIP_ROOT_USER_ACTION: 'ignore',
      },
      tells: 'last',
    })
  } catch (error) {
    if (error instanceof BuildError && /No matching distribution|Could not find a version/.test(error.message))
      throw new BuildError(
        `${error.message}\nonly wheels are installed, for Python ${python.minor} on this machine; see which there are with: pip index versions NAME`,
      )
    throw error
  }
}

async function hasPip({ program }: PythonOfMachine, directory: string): Promise<boolean> {
  const found = await runTool(
    program,
    ['-c', 'import importlib.util; print(importlib.util.find_spec("pip") is not None)'],
    {
      directory,
      project: directory,
      tells: 'last',
    },
  )
  return found.stdout.trim() === 'True'
}

/** @returns a file of requirements */
async function fromLock(
  { directory }: BuildContext,
  file: string,
  { program, version }: PythonOfMachine,
  making: string,
): Promise<string> {
  const { stdout } = await runTool(program, ['-c', lockedRequirements, directory, file], {
    directory: making,
    project: directory,
    tells: 'last',
  }).catch((error: unknown) => {
    if (!(error instanceof BuildError)) throw error
    throw new BuildError(`${join(directory, file)} cannot be read: ${error.message.split('\n').at(-1)}`)
  })
  const { requirements, problems } = JSON.parse(stdout) as { requirements: string[]; problems: string[] }
  for (const problem of problems) {
    const [kind, ...rest] = problem.split(' ')
    throw new BuildError(
      kind === 'python'
        ? `${directory} needs Python ${rest.join(' ')} (requires-python), and this machine has ${version}; install one that fits`
        : `${file} takes ${rest.join(' ')} from elsewhere than an index of packages, and only wheels are installed; publish it as a wheel, or build with a Dockerfile`,
    )
  }
  const path = join(making, 'requirements.txt')
  await writeFile(path, `${requirements.join('\n')}\n`)
  return path
}

/** Programs of packages begin with the path of this machine's Python. */
async function movePrograms(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  if (!existsSync(from)) return
  for (const name of await readdir(from)) {
    const file = join(from, name)
    if (!(await stat(file)).isFile()) continue
    const content = await readFile(file)
    const line = content.subarray(0, content.indexOf('\n')).toString()
    if (/^#!.*python/.test(line))
      await writeFile(
        file,
        Buffer.concat([Buffer.from(`#!/${environmentFolder}/bin/python3`), content.subarray(line.length)]),
      )
    await chmod(file, 0o755)
    await rename(file, join(to, name))
  }
  await rm(from, { recursive: true })
}

async function packagesIn(directory: string): Promise<Component[]> {
  const names = (await readdir(directory)).filter(name => name.endsWith('.dist-info')).toSorted()
  return Promise.all(
    names.map(async folder => {
      const [head = ''] = (await readFile(join(directory, folder, 'METADATA'), 'utf8')).split(/\r?\n\r?\n/, 1)
      const value = (key: string): string | undefined => new RegExp(`^${key}: (.+)$`, 'm').exec(head)?.[1]?.trim()
      const name = value('Name') ?? folder
      const version = value('Version') ?? ''
      const license = value('License-Expression')
      return {
        name,
        version,
        purl: `pkg:pypi/${name.toLowerCase().replaceAll(/[-_.]+/g, '-')}@${encodeURIComponent(version)}`,
        ...(license !== undefined && { license }),
      }
    }),
  )
}
