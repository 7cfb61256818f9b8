// Named pipes: their ends as streams that wait for the kernel without holding a thread.
import { constants, open as openFile } from 'node:fs'
import { Socket } from 'node:net'
import { Writable, type Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { run } from './command.ts'

const open = promisify(openFile)
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants
const lookAgainMs = 1

export async function makeFifos(...paths: readonly string[]): Promise<void> {
  await run('mkfifo', ['--mode=600', ...paths])
}

/** Ends when the last writer has gone; before the first one comes it waits. */
export async function readFifo(path: string): Promise<Readable> {
  return new Socket({ fd: await open(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false })
}

/** Waits until somebody reads. @returns undefined when nobody does before `givesUp` becomes true */
export async function writeFifo(path: string, givesUp: () => boolean): Promise<Writable | undefined> {
  while (!givesUp()) {
    try {
      return writerOf(new Socket({ fd: await open(path, O_WRONLY | O_NONBLOCK), readable: false, writable: true }))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
      await sleep(lookAgainMs)
    }
  }
  return undefined
}

/** A pipe ends when it is closed; a socket's way of ending one side is not for pipes. */
function writerOf(pipe: Socket): Writable {
  const writer = new Writable({
    write: (chunk: Buffer, _encoding, callback) => void pipe.write(chunk, callback),
    final: callback => void pipe.once('close', () => callback()).destroy(),
    destroy(error, callback) {
      pipe.destroy()
      callback(error)
    },
  })
  pipe.on('error', error => writer.destroy(error))
  return writer
}
