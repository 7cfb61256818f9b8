// Where the running Sampan is installed: the folder with its `bin` and, bundled, `dist`.
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

const isSource = import.meta.url.endsWith('.ts')

export const packageDirectory = fileURLToPath(new URL(isSource ? '../..' : '..', import.meta.url)).replace(/\/$/, '')

export const ownProgram = join(packageDirectory, 'bin/sampan')
