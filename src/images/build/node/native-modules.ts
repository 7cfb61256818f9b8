// Native modules of packages work in the image, or the build fails with the reason: each is loaded once by the Node.js
// of the image, which finds out about another version of Node.js and whatever else is wrong; another processor, another
// C library and missing shared libraries are seen before. What is needed of this machine goes along.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { major } from 'semver'
import { CommandError, run } from '../../../host/command.ts'
import { BuildError } from '../build-error.ts'
import type { LayerEntry } from '../layers/layer.ts'
import {
  debianPackages,
  isNativeName,
  missingLibrary,
  nativeFiles,
  neededLibraries,
  thisMachine,
} from '../layers/native-libraries.ts'
import type { InstalledPackage } from './installed-packages.ts'
import type { NodeRuntime } from './node-runtime.ts'

export interface NativeContext {
  /** The Node.js that packages were installed by. */
  readonly nodeBinary: string
  /** The one that is in the image. */
  readonly runtime: Pick<NodeRuntime, 'version' | 'system'>
  /** Whether nothing below in the image has a shared library of this name. */
  readonly lacks: (library: string) => boolean
  /** Names of packages that the service itself cannot do without. */
  readonly needed: readonly string[]
}

export interface NativeResult {
  /** Shared libraries. */
  readonly entries: readonly LayerEntry[]
  /** What is not there and can be done without. */
  readonly notes: readonly string[]
}

/**
 * @param directory of the installation
 * @param files all that is in it, relative to it
 * @throws BuildError
 */
export async function nativeModules(
  directory: string,
  files: readonly string[],
  installed: readonly InstalledPackage[],
  context: NativeContext,
): Promise<NativeResult> {
  const candidates = await nativeFiles(directory, files.filter(isNativeName).toSorted())
  const { runtime } = context
  const { entries, missing } = neededLibraries(directory, candidates, context.lacks)
  const madeFor = new Map(candidates.map(file => [file.path, file.madeFor]))
  const isHere = (path: string): boolean => madeFor.get(path) === runtime.system
  const problems = new Map<InstalledPackage, string>()
  for (const each of installed) {
    if (each.native.length === 0 && each.compiles) problems.set(each, notCompiled)
    else if (each.native.length > 0 && !each.native.some(isHere))
      problems.set(
        each,
        `is made for ${unique(each.native.map(path => madeFor.get(path)!))}, not for ${runtime.system}`,
      )
  }
  for (const { file, library } of missing) {
    const owner = installed.find(({ native }) => native.includes(file))
    if (owner === undefined) continue
    problems.set(
      owner,
      `does not work: ${await missingLibrary(file, library)}, or write into app.yml "build: { packages: [${debianPackages(library)[0]}] }"`,
    )
  }
  // What the image has and this machine has not cannot be tried here.
  const incomplete = new Set(
    candidates.filter(({ libraries }) => [...libraries.values()].includes(undefined)).map(file => file.path),
  )
  const loadable = installed
    .filter(each => !problems.has(each))
    .flatMap(({ native }) => native.filter(path => isHere(path) && !incomplete.has(path)))
  const failures = await failuresOf(directory, loadable, context)
  for (const each of installed.filter(({ native }) => native.some(path => failures.has(path)))) {
    // Of several for different versions of Node.js, one is enough.
    const reasons = each.native.filter(isHere).map(path => failures.get(path))
    if (!reasons.includes(undefined))
      problems.set(each, `cannot be loaded by Node.js ${runtime.version}: ${reasons.at(-1)}`)
  }
  const required = new Set([...context.needed, ...installed.flatMap(({ dependencies }) => dependencies)])
  const texts = [...problems].map(([each, problem]) => ({ each, text: `${each.name} ${each.version} ${problem}` }))
  const fatal = texts.find(({ each }) => required.has(each.name))
  if (fatal !== undefined) throw new BuildError(fatal.text)
  return { entries, notes: texts.map(({ text }) => `${text}; it is optional, and the service has to do without it`) }
}

const unique = (names: readonly string[]): string => [...new Set(names)].join(', ')

const notCompiled =
  'was not compiled when it was installed, because its install script did not run; allow it ("allowScripts" in package.json for npm, "onlyBuiltDependencies" in pnpm-workspace.yaml for pnpm), and build again'

const timeoutMs = 60_000

/** File -> why the Node.js of the image cannot load it. */
async function failuresOf(
  directory: string,
  files: readonly string[],
  { nodeBinary, runtime }: NativeContext,
): Promise<Map<string, string>> {
  if (runtime.system !== thisMachine) return new Map()
  const installing = process.versions.node
  if (runtime.version === undefined || major(runtime.version) === major(installing))
    return loadFailures(directory, files, nodeBinary)
  const failures = await Promise.all(
    files.map(async (file): Promise<[string, string][]> => {
      // Those with the interface Node-API are good for all versions.
      if (/napi_(?:register_module_v|module_register)/.test(await readFile(join(directory, file), 'latin1'))) return []
      return [[file, `it was installed by Node.js ${installing} of this machine, for which alone it is made`]]
    }),
  )
  return new Map(failures.flat())
}

/** Whatever happens while one is loaded, the next one has a process of its own. */
async function loadFailures(
  directory: string,
  files: readonly string[],
  nodeBinary: string,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>()
  let left = files
  while (left.length > 0) {
    const { lines, end } = await load(directory, left, nodeBinary)
    const done = lines.flatMap(line =>
      line.startsWith('done ') ? [JSON.parse(line.slice(5)) as [string, string?]] : [],
    )
    for (const [file, problem] of done) if (problem !== undefined) failures.set(file, problem)
    if (end === undefined) break
    const stopped = left[done.length]
    if (stopped !== undefined) failures.set(stopped, end)
    left = left.slice(done.length + 1)
  }
  return failures
}

const script = `
  const { writeSync } = require('node:fs'), { resolve } = require('node:path')
  for (const file of process.argv.slice(1)) {
    let problem
    try { process.dlopen({ exports: {} }, resolve(file), require('node:os').constants.dlopen.RTLD_NOW) }
    catch (error) { problem = String(error.message).split('\\n').filter(line => line.trim() !== '').join(' ') }
    writeSync(1, 'done ' + JSON.stringify(problem === undefined ? [file] : [file, problem]) + '\\n')
  }
  process.reallyExit(0)`

/** @returns what it said, and how it ended where it did not end as it should */
async function load(
  directory: string,
  files: readonly string[],
  nodeBinary: string,
): Promise<{ readonly lines: readonly string[]; readonly end: string | undefined }> {
  const environment = { PATH: process.env['PATH'], HOME: directory, NODE_ENV: 'production' }
  try {
    const { stdout } = await run(nodeBinary, ['--eval', script, ...files], { directory, timeoutMs, environment })
    return { lines: stdout.split('\n'), end: undefined }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return { lines: error.output.split('\n'), end: `it ends the process (${reasonOf(error)})` }
  }
}

const reasonOf = ({ exitCode }: CommandError): string => (exitCode === null ? 'by a signal' : `exit code ${exitCode}`)
