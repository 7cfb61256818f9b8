// The Python of this machine as layers of an image: the program, with what it links, and its standard library,
// compiled in a way that does not depend on the times of files.
import { existsSync } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import type { Program } from '../layers/base-layer.ts'
import { filesKey } from '../layers/files-key.ts'
import type { Foundation } from '../layers/foundation.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow } from '../layers/layer.ts'
import { nativeLibraries } from '../layers/native-libraries.ts'
import { runTool } from '../run-tool.ts'

export interface PythonOfMachine {
  readonly program: string
  /** `3.11.2` */
  readonly version: string
  /** `3.11` */
  readonly minor: string
  readonly library: string
}

const facts = `
import json, os, platform, sys, sysconfig
print(json.dumps({
  'program': os.path.realpath(sys.executable),
  'version': platform.python_version(),
  'minor': '%d.%d' % sys.version_info[:2],
  'library': os.path.dirname(os.path.realpath(os.__file__)),
}))`

/** The one that runs in the service's folder, so that what manages versions of Python is asked. @throws BuildError */
export async function findPython(directory: string): Promise<PythonOfMachine> {
  const { stdout } = await runTool('python3', ['-I', '-c', facts], {
    directory,
    project: directory,
    tells: 'last',
    missing: `${directory} is a Python project, and Python is missing on this machine; install it with: apt-get install python3 python3-pip`,
  })
  return JSON.parse(stdout) as PythonOfMachine
}

/** In the image. */
export const pythonProgram = ({ program, minor, version }: PythonOfMachine): Program => ({
  source: program,
  path: `usr/local/bin/python${minor}`,
  component: { name: 'python', version, purl: `pkg:generic/python@${version}` },
})

/** The folder of a base image's Python. @throws BuildError when it has none of this machine's version */
export function pythonOfBase({ base }: BuildContext, { minor }: PythonOfMachine): string {
  if (base === undefined) return '/usr/local/bin'
  const place = ['/usr/local/bin', '/usr/bin'].find(folder => base.has(`${folder}/python${minor}`))
  if (place !== undefined) return place
  throw new BuildError(
    `the base image ${base.name} has no Python ${minor}, for which this machine installs packages; name one that has, such as python:${minor}-slim, or none`,
  )
}

/** What only development and desktops need; and packages of the machine, which are not the service's. */
const unneeded =
  /^(?:test|idlelib|tkinter|turtledemo|turtle\.py|ensurepip|lib2to3|pydoc_data|config-[^/]*|site-packages|dist-packages|sitecustomize\.py|EXTERNALLY-MANAGED)(?:\/|$)|(?:^|\/)(?:__pycache__|tests?)(?:\/|$)|\.exe$|^lib-dynload\/_(?:tkinter|test|xx)[^/]*$/

export async function pythonLayer(
  context: BuildContext,
  python: PythonOfMachine,
  below: Foundation,
): Promise<KeptLayer> {
  const { program, library, version, minor } = python
  const key = filesKey([program, join(library, 'os.py')], '1', version, library, ...below.libraries)
  return keptLayer(context, `python-${key}`, async making => {
    const copy = join(making, 'library')
    await mkdir(copy)
    await cp(library, copy, {
      recursive: true,
      filter: source => source === library || (!unneeded.test(source.slice(library.length + 1)) && existsSync(source)),
    })
    const place = `usr/local/lib/python${minor}`
    await compilePython(python, copy, `/${place}`, 'unchecked-hash')
    const native = await nativeLibraries([join(copy, 'lib-dynload')], below.libraries)
    return {
      entries: [
        ...(await entriesBelow(copy, place)),
        { path: 'usr/local/bin/python3', kind: 'link', target: basename(pythonProgram(python).path) },
        { path: 'usr/local/bin/python', kind: 'link', target: 'python3' },
        ...native.entries,
      ],
    }
  })
}

/**
 * Compiles all modules below a folder for where they are in the image. What does not compile is not for this Python.
 * @param validity whether a module is compiled again when its source is another one
 */
export async function compilePython(
  { program }: Pick<PythonOfMachine, 'program'>,
  directory: string,
  place: string,
  validity: 'checked-hash' | 'unchecked-hash',
): Promise<void> {
  const args = [
    '-I',
    '-m',
    'compileall',
    '-q',
    '--invalidation-mode',
    validity,
    '-s',
    directory,
    '-p',
    place,
    directory,
  ]
  await runTool(program, args, { directory, project: directory, tells: 'last' }).catch((error: unknown) => {
    if (!(error instanceof BuildError)) throw error
  })
}
