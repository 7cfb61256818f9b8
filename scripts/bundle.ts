// Bundles programs of Sampan. Shared code goes into chunks, so that a command loads only what it uses.
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild'
import { mergeChunks, type Starts } from './merge-chunks.ts'

/**
 * An `import` of node:http makes Node.js read every one of its exports, among them WebSocket, for which
 * it loads a whole HTTP client (25 ms). Taken as a plain object, only what is used is read.
 */
const leanHttp: Plugin = {
  name: 'lean-http',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^(node:)?http$/ }, () => ({ path: 'http', namespace: 'lean-http' }))
    esbuild.onLoad({ filter: /.*/, namespace: 'lean-http' }, () => ({
      contents: 'module.exports = process.getBuiltinModule("node:http")',
      loader: 'js',
    }))
  },
}

/** A program that goes into containers: one file that needs nothing but Node.js, whichever version that is. */
export async function bundleAlone(entryPoint: string, file: string): Promise<void> {
  await build({
    entryPoints: [entryPoint],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node18',
    minifySyntax: true,
    legalComments: 'none',
  })
}

const ofNode24: BuildOptions = {
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
}

interface Bundling {
  /** Name -> what stands there instead, as JavaScript. */
  readonly define?: Record<string, string>
  readonly starts?: Starts
}

/** @param entryPoints name in `directory` (without `.js`) -> source file */
export async function bundle(
  entryPoints: Record<string, string>,
  directory: string,
  { define = {}, starts }: Bundling = {},
): Promise<Metafile> {
  const { metafile } = await build({
    ...ofNode24,
    entryPoints,
    outdir: directory,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    // Libraries written for CommonJS ask for Node's modules at run time.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    define,
    external: ['esbuild', '@swc/core'],
    loader: { '.json': 'json' },
    plugins: [leanHttp],
    metafile: true,
  })
  checkNames(metafile)
  if (starts === undefined) return metafile
  return { inputs: metafile.inputs, outputs: await mergeChunks(directory, metafile.outputs, starts, ofNode24) }
}

/** What `import()` gives of a CommonJS module has no names in a bundle, only a default. */
function checkNames({ inputs }: Metafile): void {
  const nameless = Object.entries(inputs).flatMap(([file, { imports }]) =>
    imports
      .filter(
        ({ kind, path }) =>
          kind === 'dynamic-import' && inputs[path]?.format === 'cjs' && !file.includes('node_modules'),
      )
      .map(({ original = '' }) => `${file}: import('${original}')`),
  )
  if (nameless.length > 0)
    throw new Error(
      `expected libraries of CommonJS to be loaded through a module that names what it exports of them, found ${nameless.join(', ')}`,
    )
}
