// Lets a person change a text that must not stay anywhere: a file in memory that only its owner can read, in their own
// editor. The file goes however this process ends: a second process waits for that, and removes it.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { accessSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, constants as modes } from 'node:fs'
import { join } from 'node:path'
import { CommandFailure } from './output.ts'

export interface EditorPlaces {
  /** As people set it: a command, which gets the file as its argument. */
  readonly editor: string
  /** Folders in memory; the first one that is there is used. */
  readonly folders: readonly string[]
}

export const editorPlaces = (environment: NodeJS.ProcessEnv): EditorPlaces => ({
  editor: environment['VISUAL'] || environment['EDITOR'] || 'vi',
  folders: [...(environment['XDG_RUNTIME_DIR'] ? [environment['XDG_RUNTIME_DIR']] : []), '/dev/shm'],
})

/**
 * @param edited is called with the text when the editor has ended
 * @param again whether the person goes on after `edited` has thrown that
 */
export async function editPrivately<T>(
  { editor, folders }: EditorPlaces,
  name: string,
  text: string,
  edited: (text: string) => T,
  again: (error: unknown) => Promise<boolean>,
): Promise<T> {
  const folder = folders.find(isUsable)
  if (folder === undefined)
    throw new CommandFailure(
      `there is no folder in memory for the values (${folders.join(', ')}), and they must not be written to a disk; change them one by one with "sampan secret set"`,
    )
  const directory = mkdtempSync(join(folder, 'sampan-edit-'))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  const watcher = removedWithUs(directory)
  try {
    const file = join(directory, name)
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    for (;;) {
      await runEditor(editor, file, remove)
      try {
        return edited(readFileSync(file, 'utf8'))
      } catch (error) {
        if (!(await again(error))) throw error
      }
    }
  } finally {
    remove()
    watcher.end()
  }
}

function isUsable(folder: string): boolean {
  try {
    accessSync(folder, modes.W_OK | modes.X_OK)
    return statSync(folder).isDirectory()
  } catch {
    return false
  }
}

/** Waits for the end of its input, which the kernel closes with this process, and does not hear what a terminal sends. */
function removedWithUs(directory: string): { end(): void } {
  const script = 'cat >/dev/null; rm -rf -- "$1"'
  const watcher = spawn('sh', ['-c', script, 'sh', directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  watcher.on('error', () => {})
  watcher.unref()
  return { end: () => void watcher.stdin.end() }
}

function runEditor(editor: string, file: string, remove: () => void): Promise<void> {
  // The shell gives way to the editor, which signals are for, unless the command is more than one program.
  const command = `${/^\s*\w+=|[;&|()]/.test(editor) ? '' : 'exec '}${editor} "$@"`
  const child = spawn('sh', ['-c', command, editor, file], { stdio: 'inherit' })
  // What is typed on the terminal is the editor's to understand.
  const ignored = (): void => {}
  const ended = (name: NodeJS.Signals): void => {
    remove()
    child.kill(name)
    process.exit(128 + constants.signals[name])
  }
  process.on('SIGINT', ignored).on('SIGTERM', ended).on('SIGHUP', ended)
  return new Promise<void>((resolve, reject) => {
    child.once('error', error => reject(new CommandFailure(`the editor ${editor} cannot be started: ${error.message}`)))
    child.once('exit', (code, signal) =>
      code === 0
        ? resolve()
        : reject(
            new CommandFailure(
              `the editor ${editor} ended with ${signal ?? `exit code ${code}`}; nothing was changed. Another one is taken from EDITOR`,
            ),
          ),
    )
  }).finally(() => process.off('SIGINT', ignored).off('SIGTERM', ended).off('SIGHUP', ended))
}
