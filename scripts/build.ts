// Bundles Sampan into dist/: the command, the server, and the store's worker thread. Shared code goes
// into chunks, so that a command loads only what it uses.
import { rmSync } from 'node:fs'
import { build, type Plugin } from 'esbuild'

/**
 * An `import` of node:http makes Node.js read every one of its exports, among them WebSocket, for which
 * it loads a whole HTTP client (25 ms). Taken as a plain object, only what is used is read.
 */
const leanHttp: Plugin = {
  name: 'lean-http',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^(node:)?http$/ }, () => ({ path: 'http', namespace: 'lean-http' }))
    esbuild.onLoad({ filter: /.*/, namespace: 'lean-http' }, () => ({ contents: 'module.exports = process.getBuiltinModule("node:http")', loader: 'js' }))
  },
}

rmSync('dist', { recursive: true, force: true })
const result = await build({
  entryPoints: { 'sampan': 'src/main/cli.ts', 'server': 'src/main/server-process.ts', 'sqlite-worker': 'src/store/sqlite-worker.ts' },
  outdir: 'dist',
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
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
  external: ['esbuild', '@swc/core'],
  loader: { '.json': 'json' },
  plugins: [leanHttp],
  metafile: true,
})
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(`dist: ${Object.keys(result.metafile.outputs).length} files, ${Math.round(bytes / 1024)} KB`)
