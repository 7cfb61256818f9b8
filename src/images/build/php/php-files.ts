// Which files of a folder are the service's own.
import type { FileFilter } from '../layers/docker-ignore.ts'
import { serviceFiles } from '../layers/service-files.ts'

export const sourcesOf = (directory: string): FileFilter => serviceFiles(directory, { never: ['vendor'] })
