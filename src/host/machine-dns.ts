// The machine's resolvers as they are now: a laptop changes networks, and a name server that was right in the
// morning answers nobody in the evening. The files are read again when the kernel tells that they changed.
import { readFileSync, realpathSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { machineDnsOf, type MachineDns } from '../lib/resolv-conf.ts'
import { watchDirectory, type DirectoryWatch } from './watch-directory.ts'

export interface MachineDnsFiles {
  readonly main: string
  /** Where systemd-resolved writes the resolvers that it asks itself. */
  readonly behind: string
}

export interface FollowedDns {
  current(): MachineDns
  stop(): void
}

const usualFiles: MachineDnsFiles = { main: '/etc/resolv.conf', behind: '/run/systemd/resolve/resolv.conf' }

export function followMachineDns(files: MachineDnsFiles = usualFiles): FollowedDns {
  const watchers = new Map<string, DirectoryWatch>()
  let dns = read(files)
  let isStopped = false
  const again = (): void => {
    if (isStopped) return
    rewatch()
    dns = read(files)
  }
  /** Files are replaced rather than written, so their directories are looked at; a link leads to another one. */
  function rewatch(): void {
    const paths = [files.main, files.behind].flatMap(path => [path, targetOf(path)])
    const names = new Set(paths.map(path => basename(path)))
    const directories = new Set(paths.map(path => dirname(path)))
    for (const [directory, watcher] of watchers) {
      if (directories.has(directory)) continue
      watcher.close()
      watchers.delete(directory)
    }
    for (const directory of directories) {
      if (watchers.has(directory)) continue
      try {
        const watcher = watchDirectory(
          directory,
          name => {
            if (name === null || names.has(name)) again()
          },
          () => watchers.delete(directory),
        )
        watchers.set(directory, watcher)
      } catch {
        // Not there: systemd-resolved is not in use, or will be when the link to it is made.
      }
    }
  }
  rewatch()
  dns = read(files)
  return {
    current: () => dns,
    stop: () => {
      isStopped = true
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

const read = ({ main, behind }: MachineDnsFiles): MachineDns => machineDnsOf(textOf(main), textOf(behind))

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
