// `sampan backup` and `sampan restore`: objects, keys and the facts of a cluster in one file that only its
// owner can read. A backup may be taken while the cluster runs; images and the pods' own data are not in it.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { CommandFailure, Output } from '../../cli/output.ts'
import { startCommand } from '../../client/start-command.ts'
import { readBackup, restoreDatabase, writeBackup, type BackupFile } from '../../store/sqlite-backup.ts'
import { connectControl } from '../control-socket.ts'
import { knownFacts, placesOf, type ClusterFacts, type ClusterPlaces } from '../data-directory.ts'
import { rememberedStore } from '../open-store.ts'
import { refuseOfRoot, withName } from '../roots-cluster.ts'

export interface BackupOptions {
  readonly name: string
  readonly dataDir?: string
  readonly force?: boolean
}

const factsFile = 'cluster.json'

export async function backup(target: string, options: BackupOptions): Promise<void> {
  const places = placesOf(options.name, options.dataDir)
  await refuseOfRoot(options.name, withName('sampan backup FILE', options.name))
  const file = resolve(target)
  if (knownFacts(places) === undefined)
    throw new CommandFailure(
      `there is no cluster "${options.name}" in ${places.data}; name the one to back up with --name or --data-dir`,
    )
  if (rememberedStore(places)?.store !== 'sqlite')
    throw new CommandFailure(
      `the cluster "${options.name}" keeps its objects in etcd; back them up with etcdctl snapshot save, and keep a copy of ${places.keys}, without which its Secrets cannot be read`,
    )
  if (existsSync(file) && !options.force)
    throw new CommandFailure(`${file} is there already; choose another name, or replace it with --force`)
  if (!existsSync(dirname(file))) throw new CommandFailure(`the folder ${dirname(file)} does not exist; make it first`)
  const unfinished = `${file}.unfinished`
  process.umask(0o077)
  try {
    rmSync(unfinished, { force: true })
    writeBackup(places.database, unfinished, filesOf(places))
    renameSync(unfinished, file)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw new CommandFailure(`the backup could not be written to ${file}: ${(error as Error).message}`)
  }
  const { keys } = readBackup(file)
  new Output().line(
    `${keys} objects, the keys and the facts of cluster "${options.name}" are in ${file}; whoever has it has the cluster's secrets`,
  )
}

export async function restore(source: string, options: BackupOptions): Promise<void> {
  const places = placesOf(options.name, options.dataDir)
  await refuseOfRoot(options.name, withName('sampan restore FILE', options.name))
  const file = resolve(source)
  await assertDown(places)
  if (!existsSync(file)) throw new CommandFailure(`expected a backup in ${file}, found nothing`)
  const { files, keys, revision } = readBackup(file)
  const { name } = JSON.parse(
    Buffer.from(files.find(one => one.name === factsFile)?.content ?? Buffer.from('{}')).toString(),
  ) as Partial<ClusterFacts>
  if (name !== options.name)
    throw new CommandFailure(
      `${file} is a backup of the cluster "${name}", not of "${options.name}"; restore it with --name ${name}`,
    )
  if (knownFacts(places) !== undefined && !options.force)
    throw new CommandFailure(
      `the cluster "${options.name}" has data in ${places.data}; put the backup in its place with --force, or restore it elsewhere with --data-dir`,
    )
  if (rememberedStore(places)?.store.startsWith('etcd') === true)
    throw new CommandFailure(
      `the cluster "${options.name}" keeps its objects in etcd, where this backup does not go; restore it elsewhere with --data-dir`,
    )
  process.umask(0o077)
  putInPlace(places, file, files)
  new Output().line(
    `${keys} objects of cluster "${options.name}", as of revision ${revision}, are restored; start it with: ${startCommand(options.name, options.dataDir && places.data)}`,
  )
}

/** Everything is prepared beside its place first; the database, without which nothing counts, comes last. */
function putInPlace(places: ClusterPlaces, backupFile: string, files: readonly BackupFile[]): void {
  mkdirSync(places.keys, { recursive: true, mode: 0o700 })
  const database = `${places.database}.restored`
  restoreDatabase(backupFile, database)
  for (const { name, content } of files) {
    const place = name === factsFile ? join(places.data, factsFile) : join(places.keys, basename(name))
    writeFileSync(`${place}.new`, content, { mode: 0o600, flush: true })
    renameSync(`${place}.new`, place)
  }
  for (const ending of ['-wal', '-shm']) rmSync(places.database + ending, { force: true })
  renameSync(database, places.database)
}

async function assertDown({ name, controlSocket, state }: ClusterPlaces): Promise<void> {
  const running = await connectControl(controlSocket)
  running?.close()
  const command = withName('sampan down', name)
  if (running !== undefined) throw new CommandFailure(`the cluster "${name}" runs; stop it first with: ${command}`)
  if (existsSync(state))
    throw new CommandFailure(`the cluster "${name}" left containers running; stop them first with: ${command}`)
}

function filesOf({ data, keys }: ClusterPlaces): BackupFile[] {
  const inKeys = readdirSync(keys)
    .filter(name => !name.endsWith('.new'))
    .map(name => ({ name: `keys/${name}`, content: readFileSync(join(keys, name)) }))
  return [{ name: factsFile, content: readFileSync(join(data, factsFile)) }, ...inKeys]
}
