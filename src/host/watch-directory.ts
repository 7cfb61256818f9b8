// Tells what changes in a directory. Where the kernel gives no more watches (its limits count for all that root runs,
// containers too), who asks is told to look for himself every second.
import { watch } from 'node:fs'

export interface DirectoryWatch {
  close(): void
}

const lookEveryMs = 1_000

/** @param onChange gets the name of the entry, or null when it is not known @throws Error when there is no directory */
export function watchDirectory(
  directory: string,
  onChange: (name: string | null) => void,
  onError: () => void,
): DirectoryWatch {
  try {
    const watcher = watch(directory, (_event, name) => onChange(name))
    watcher.on('error', onError)
    return watcher.unref()
  } catch (error) {
    if (!['EMFILE', 'ENOSPC'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    const timer = setInterval(() => onChange(null), lookEveryMs).unref()
    return { close: () => clearInterval(timer) }
  }
}
