// Tells that something changed below folders, by the kernel's events. What changed is for the listener to find out:
// editors write files in many ways.
import { existsSync, lstatSync, readdirSync, watch, type FSWatcher } from 'node:fs'
import { dirname, join } from 'node:path'

export interface FileWatch {
  close(): void
}

const notLookedInto = new Set(['node_modules', '.git', '__pycache__', 'target', '.venv'])
/** Editors and generators change several files for one change. */
const settleMs = 15

/** It may be gone by now, or the folder that it was in. */
function isFolder(path: string): boolean {
  try {
    return lstatSync(path).isDirectory()
  } catch {
    return false
  }
}

/**
 * @param paths files and folders; files may come and go
 * @param problem told when the kernel gives no more watches
 */
export function watchFiles(paths: readonly string[], changed: () => void, problem: (text: string) => void): FileWatch {
  const watches = new Map<string, FSWatcher>()
  let timer: NodeJS.Timeout | undefined
  const tell = (): void => {
    clearTimeout(timer)
    timer = setTimeout(changed, settleMs)
  }
  const addFolder = (folder: string): void => {
    if (watches.has(folder)) return
    try {
      const made = watch(folder, (_event, name) => {
        if (name !== null && !notLookedInto.has(name)) addBelow(join(folder, name))
        tell()
      })
      made.on('error', () => remove(folder))
      watches.set(folder, made)
      for (const name of readdirSync(folder)) if (!notLookedInto.has(name)) addBelow(join(folder, name))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOSPC' || code === 'EMFILE')
        problem(
          `${folder} cannot be watched, because the kernel gives no more watches; raise the limit with: sysctl fs.inotify.max_user_watches=524288`,
        )
      else if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    }
  }
  const addBelow = (path: string): void => {
    if (isFolder(path)) addFolder(path)
  }
  const remove = (folder: string): void => {
    watches.get(folder)?.close()
    watches.delete(folder)
  }
  for (const path of paths) {
    if (isFolder(path)) addFolder(path)
    else {
      // A file is replaced rather than written, so its folder is watched, that alone.
      const folder = dirname(path)
      if (watches.has(folder) || !existsSync(folder)) continue
      watches.set(
        folder,
        watch(folder, (_event, name) => {
          if (name === null || join(folder, name) === path) tell()
        }),
      )
    }
  }
  return {
    close() {
      clearTimeout(timer)
      for (const made of watches.values()) made.close()
      watches.clear()
    },
  }
}
