// Compiles the dependencies once, when the image is built, instead of at every start of every instance:
// Node.js keeps the compiled code in a folder that travels with them. A portable cache is valid wherever
// it and the modules keep their places relative to each other.
// Source: Node.js documentation, module compile cache.
import { join } from 'node:path'
import { run } from '../../host/command.ts'

export const compiledCodeFolder = '.compile-cache'

/** Variables that make Node.js use the folder inside the image. */
export const compiledCodeVariables = (modules: string): string[] => [`NODE_COMPILE_CACHE=${modules}/${compiledCodeFolder}`, 'NODE_COMPILE_CACHE_PORTABLE=1']

const timeoutMs = 30_000

/** Loads each dependency once. One that cannot be loaded like this just starts uncompiled. */
export async function compileDependencies(directory: string, names: readonly string[], nodeBinary: string): Promise<void> {
  const [folder, portable] = compiledCodeVariables(join(directory, 'node_modules')).map(text => text.slice(text.indexOf('=') + 1))
  const script = `Promise.allSettled(${JSON.stringify(names)}.map(name => import(name))).then(() => process.exit(0))`
  await run(nodeBinary, ['--input-type=module', '--eval', script], {
    directory, timeoutMs, environment: { PATH: process.env['PATH'], HOME: directory, NODE_ENV: 'production', NODE_COMPILE_CACHE: folder, NODE_COMPILE_CACHE_PORTABLE: portable },
  }).catch(() => {})
}
