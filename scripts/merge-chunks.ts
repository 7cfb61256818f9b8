// Fewer and larger files out of a bundle. The bundler makes a chunk for each set of entry points that share code, so a
// program whose parts are loaded on demand falls into hundreds of them, and a start pays for each file that it opens.
// Chunks that all named starts load together, or none of them, become one file: a named start loads fewer files and no
// more code, others load what they share with it as a whole.
import { createHash } from 'node:crypto'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'

type Outputs = Metafile['outputs']

/** Source files that one process loads, each with what it imports. */
type Start = readonly string[]

export interface Starts {
  readonly quick: readonly Start[]
  /** What only they load stays as it is: a part of it may be what a small program needs. */
  readonly lean: readonly Start[]
}

interface Merging {
  /** Chunks that become one, by the name of that one. */
  readonly members: ReadonlyMap<string, readonly string[]>
  /** Chunk -> what it becomes a part of. */
  readonly mergedInto: ReadonlyMap<string, string>
}

/** @param options what keeps the code as the first pass has written it */
export async function mergeChunks(
  directory: string,
  outputs: Outputs,
  starts: Starts,
  options: BuildOptions,
): Promise<Outputs> {
  const byName = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]))
  const merging = planMerging(outputs, starts)
  const { members, mergedInto } = merging
  // What is asked for at run time keeps its name.
  const kept = [...byName].filter(([name, { entryPoint }]) => !mergedInto.has(name) || entryPoint !== undefined)
  const { outputFiles, metafile } = await build({
    ...options,
    entryPoints: [
      ...kept.map(([name]) => ({
        in: mergedInto.has(name) ? `part:${name}` : resolve(directory, name),
        out: stem(name),
      })),
      ...[...members.keys()].map(name => ({ in: `whole:${name}`, out: stem(name) })),
    ],
    outdir: directory,
    bundle: true,
    write: false,
    metafile: true,
    plugins: [linking(directory, merging, byName)],
  })
  for (const name of readdirSync(directory)) if (byName.has(name)) rmSync(join(directory, name))
  for (const { path, contents } of outputFiles) writeFileSync(path, contents)
  return metafile.outputs
}

const stem = (name: string): string => name.replace(/\.js$/, '')

/** Chunks with the same starts become one. What they import has at least these starts, so there are no circles. */
function planMerging(outputs: Outputs, { quick, lean }: Starts): Merging {
  const [byQuick, byLean] = [quick, lean].map(starts => starts.map(sources => loadedBy(outputs, sources)))
  const imported = new Set(Object.values(outputs).flatMap(staticImports))
  const groups = Map.groupBy(
    Object.keys(outputs).filter(path => imported.has(path) && byQuick!.some(paths => paths.has(path))),
    path => [...byQuick!, ...byLean!].map(paths => paths.has(path)).join(),
  )
  const members = new Map(
    [...groups.values()]
      .filter(paths => paths.length > 1)
      .map(paths => paths.map(path => basename(path)).sort())
      .map(names => [`chunk-${shortHash(names)}.js`, names]),
  )
  return { members, mergedInto: new Map([...members].flatMap(([whole, names]) => names.map(name => [name, whole]))) }
}

function loadedBy(outputs: Outputs, sources: Start): ReadonlySet<string> {
  const loaded = new Set<string>()
  const load = (path: string): void => {
    if (loaded.has(path) || outputs[path] === undefined) return
    loaded.add(path)
    for (const next of staticImports(outputs[path])) load(next)
  }
  for (const source of sources) {
    const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source)
    if (found === undefined) throw new Error(`expected a file that is loaded on its own, found none for ${source}`)
    load(found[0])
  }
  return loaded
}

const staticImports = ({ imports }: Outputs[string]): string[] =>
  imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path)

/** The names of chunks have the hash of their content in them. */
const shortHash = (names: readonly string[]): string =>
  createHash('sha256').update(names.join()).digest('hex').slice(0, 8).toUpperCase()

/** What is in one file stays in it; what is in another one is imported from there under the name that it has there. */
function linking(
  directory: string,
  { members, mergedInto }: Merging,
  byName: ReadonlyMap<string, Outputs[string]>,
): Plugin {
  const exportsOf = (name: string): readonly string[] => byName.get(name)?.exports ?? []
  const nameInWhole = (chunk: string, name: string): string => `${stem(chunk).replaceAll(/\W/g, '_')}_${name}`
  const list = (chunk: string, written: (name: string) => string): string => exportsOf(chunk).map(written).join()
  return {
    name: 'link-chunks',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^(part|whole):/ }, ({ path }) => {
        const [namespace, name] = path.split(':')
        return { path: name!, namespace: namespace! }
      })
      esbuild.onResolve({ filter: /.*/ }, ({ path, importer, kind, namespace }) => {
        if (kind === 'entry-point') return undefined
        const chunk = path.startsWith('./') ? path.slice(2) : undefined
        if (chunk === undefined || kind !== 'import-statement' || namespace === 'part') return { path, external: true }
        const whole = mergedInto.get(chunk)
        if (whole === undefined) return { path, external: true }
        const own = namespace === 'whole' ? importer : mergedInto.get(basename(importer))
        return own === whole ? { path: resolve(directory, chunk) } : { path: chunk, namespace: 'part' }
      })
      esbuild.onLoad({ filter: /.*/, namespace: 'part' }, ({ path: chunk }) => ({
        contents: `export{${list(chunk, name => `${nameInWhole(chunk, name)} as ${name}`)}}from"./${mergedInto.get(chunk)}"`,
      }))
      esbuild.onLoad({ filter: /.*/, namespace: 'whole' }, ({ path: whole }) => ({
        contents: members
          .get(whole)!
          .map(chunk => `export{${list(chunk, name => `${name} as ${nameInWhole(chunk, name)}`)}}from"./${chunk}"`)
          .join('\n'),
        resolveDir: dirname(resolve(directory, whole)),
      }))
    },
  }
}
