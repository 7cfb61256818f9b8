// Bundles programs of Sampan. Shared code goes into chunks, so that a command loads only what it uses.
import { build, type Metafile, type Plugin } from 'esbuild'

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

/**
 * @param entryPoints name in `directory` (without `.js`) -> source file
 * @param define name -> what stands there instead, as JavaScript
 */
export async function bundle(
  entryPoints: Record<string, string>,
  directory: string,
  define: Record<string, string> = {},
): Promise<Metafile> {
  const { metafile } = await build({
    entryPoints,
    outdir: directory,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    chunkNames: 'chunk-[hash]',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
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
  return metafile
}
