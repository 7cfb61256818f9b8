// Where the source of an image comes from, as far as git tells it: the commit that changed it last, and the repository.
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { run } from '../../host/command.ts'

export interface Revision {
  /** Of the last commit that touched one of the folders, so that commits elsewhere make no other image; with `-dirty` behind it when files differ from it. */
  readonly revision: string
  /** URL without what tells who one is; undefined: none is said. */
  readonly source: string | undefined
}

/**
 * @param folders that the image is made of
 * @returns undefined: there is no git, or no commit yet
 */
export async function revisionOf(directory: string, folders: readonly string[]): Promise<Revision | undefined> {
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', ['-C', directory, ...args], { timeoutMs: 10_000 })).stdout.trim()
  try {
    const [commit, changed, source] = await Promise.all([
      git('log', '-1', '--format=%H', '--', ...folders),
      git('status', '--porcelain', '--untracked-files=normal', '--', ...folders),
      git('config', '--get', 'remote.origin.url').catch(() => ''),
    ])
    if (commit === '') return undefined
    return {
      revision: changed === '' ? commit : `${commit}-dirty`,
      source: source === '' ? undefined : withoutUser(source),
    }
  } catch {
    // A folder outside of git, one that git does not trust, or a machine without git.
    return undefined
  }
}

/** `git@github.com:team/web.git` and `https://token@github.com/team/web.git` are the same place. */
function withoutUser(remote: string): string | undefined {
  const short = /^(?:[^@/]+@)?([\w.-]+):(?!\/\/)(.+)$/.exec(remote)
  const text = short === null ? remote : `https://${short[1]}/${short[2]}`
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!/^(?:https?|ssh|git):$/.test(url.protocol)) return undefined
  url.username = ''
  url.password = ''
  return String(url).replace(/\.git$/, '')
}

/** The last commit as a tag, `3f2a9c1d5b7e` or `3f2a9c1d5b7e-dirty`; undefined: there is none. */
export function commitTag(directory: string): string | undefined {
  const { status, stdout } = spawnSync(
    'git',
    ['-C', directory, 'describe', '--always', '--dirty', '--exclude=*', '--abbrev=12'],
    {
      encoding: 'utf8',
      timeout: 10_000,
    },
  )
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
}

/** Changes whenever git does something in the folder, and now and then without; empty outside of git. */
export function gitMarks(directory: string): string {
  const place = gitFolder(directory)
  if (place === undefined) return ''
  return ['HEAD', 'index', 'logs/HEAD', 'config']
    .map(name => statSync(join(place, name), { throwIfNoEntry: false }))
    .map(file => (file === undefined ? '-' : `${file.size} ${file.ctimeMs}`))
    .join(', ')
}

function gitFolder(directory: string): string | undefined {
  const place = join(directory, '.git')
  const found = statSync(place, { throwIfNoEntry: false })
  if (found === undefined) return dirname(directory) === directory ? undefined : gitFolder(dirname(directory))
  if (found.isDirectory()) return place
  // Another working tree of a repository.
  const named = /^gitdir: (.+)$/m.exec(readFileSync(place, 'utf8'))?.[1]
  return named === undefined ? undefined : resolve(directory, named)
}
