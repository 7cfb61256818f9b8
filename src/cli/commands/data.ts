// `sampan data backup|restore -e ENVIRONMENT NAME [TYPE] --file FILE`: what a service has on a backing service, in a file.
import { createReadStream, existsSync, rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { backupData, restoreData } from '../../delivery/service-data.ts'
import { changing } from '../changing.ts'
import { confirm } from '../confirm.ts'
import type { DeliverySettings } from '../deliveries.ts'
import { placeOf } from '../environment-services.ts'
import { CommandFailure } from '../output.ts'
import { settingOf, type TargetOptions } from '../target.ts'

export interface DataOptions extends TargetOptions, DeliverySettings {
  /** Of the data. */
  readonly file: string
  readonly force?: boolean
  readonly yes?: boolean
}

export async function backup(service: string, type: string | undefined, options: DataOptions): Promise<void> {
  const { file } = options
  if (existsSync(file) && !options.force)
    throw new CommandFailure(`${file} is there already; name another file, or replace it with --force`)
  const place = placeOf(service, settingOf(options))
  const interruptible = { first: 'stopping; no file is left', goOn: `the file ${file}.part may be left` }
  await changing(options, interruptible, async ({ output, delivery }) => {
    // Whoever finds the file under its name finds all of it; only its owner can read it.
    const part = `${file}.part`
    const handle = await open(part, 'w', 0o600)
    try {
      const stream = handle.createWriteStream()
      const written = new Promise<void>((resolve, reject) => {
        stream.on('close', resolve).on('error', reject)
      })
      written.catch(() => {})
      output.working(`saving the data of ${service}`)
      const what = await stoppable(backupData({ place, ...typed(type) }, stream, delivery), delivery)
      if (!stream.writableEnded) stream.end()
      await written
      await rename(part, file)
      output.done(`saved ${what} in ${file}`)
    } catch (error) {
      rmSync(part, { force: true })
      throw error
    }
  })
}

export async function restore(service: string, type: string | undefined, options: DataOptions): Promise<void> {
  const { file, environment } = options
  if (!existsSync(file)) throw new CommandFailure(`there is no file ${file}`)
  const place = placeOf(service, settingOf(options))
  await confirm(
    `all data of ${service} in ${environment}, and puts what is in ${file} in its place`,
    service,
    options.yes,
  )
  const again = `sampan data restore -e ${environment} ${service}${type === undefined ? '' : ` ${type}`} --file ${file}`
  const interruptible = { first: 'stopping; the data may be half-way', goOn: `do it again with: ${again}` }
  await changing(options, interruptible, async ({ output, delivery }) => {
    output.working(`restoring the data of ${service}`)
    const from = createReadStream(file)
    const what = await stoppable(restoreData({ place, ...typed(type) }, from, delivery), delivery)
    output.done(`restored ${what} from ${file}`)
  })
}

const typed = (type: string | undefined): { readonly type?: string } => (type === undefined ? {} : { type })

/** Not every client of a server can be told to stop. */
async function stoppable<T>(work: Promise<T>, { signal }: { readonly signal: AbortSignal }): Promise<T> {
  const stopped = Promise.withResolvers<never>()
  const stop = (): void => stopped.reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, stopped.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
