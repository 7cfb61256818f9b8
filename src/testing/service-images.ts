// Images of servers, made of this machine's Debian packages, that behave like the official images in what Sampan uses
// of them: variables, place of the data, user, programs, signal. No registry has to be reached for them.
import { openSync, readSync, closeSync, lstatSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../host/command.ts'
import { sharedLibraries } from '../images/build/layers/base-layer.ts'
import { plainLayer, writeLayer, type LayerEntry } from '../images/build/layers/layer.ts'
import { RegistryClient } from '../images/client/registry-client.ts'
import { pushImage } from '../images/build/push-image.ts'

export type ServerImage = 'postgres' | 'mysql' | 'redis' | 'rabbitmq'

/** As the official ones are called, in the registry of a cluster. */
export const serverImage = (name: ServerImage): string => `sampan.local/${name}:1`

interface Recipe {
  /** Debian packages, as patterns. */
  readonly packages: readonly string[]
  /** What starts it, as `docker-entrypoint.sh` does; undefined: whatever the command says. */
  readonly start?: string
  readonly command: readonly string[]
  readonly path: string
  readonly stopSignal: string
  /** Directories that any user may write to. */
  readonly writable: readonly string[]
}

const postgresStart = `#!/bin/sh
set -e
mkdir -p "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  (umask 077; printf %s "$POSTGRES_PASSWORD" > /tmp/password)
  initdb -D "$PGDATA" -U "$POSTGRES_USER" -E UTF8 --auth=trust --pwfile=/tmp/password
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec "$@" -c listen_addresses='*'
`

const mysqlStart = `#!/bin/sh
set -e
first=
if [ ! -d /var/lib/mysql/mysql ]; then
  mariadb-install-db --no-defaults --datadir=/var/lib/mysql --auth-root-authentication-method=normal --skip-test-db
  (
    umask 077
    echo "DELETE FROM mysql.global_priv WHERE User = 'root';"
    echo "FLUSH PRIVILEGES;"
    for host in localhost %; do
      echo "CREATE USER root@'$host' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';"
      echo "GRANT ALL ON *.* TO root@'$host' WITH GRANT OPTION;"
    done
  ) > /tmp/first.sql
  first=--init-file=/tmp/first.sql
fi
exec "$@" --no-defaults --datadir=/var/lib/mysql --socket=/tmp/mysqld.sock --bind-address=0.0.0.0 --skip-name-resolve $first
`

const rabbitmqStart = `#!/bin/sh
set -e
umask 077
printf 'default_user = %s\\ndefault_pass = %s\\n' "$RABBITMQ_DEFAULT_USER" "$RABBITMQ_DEFAULT_PASS" > /tmp/rabbitmq.conf
echo '[rabbitmq_management].' > /tmp/plugins
export RABBITMQ_CONFIG_FILE=/tmp/rabbitmq RABBITMQ_ENABLED_PLUGINS_FILE=/tmp/plugins RABBITMQ_LOGS=-
export HOME=/var/lib/rabbitmq ERL_EPMD_ADDRESS=127.0.0.1
exec "$@"
`

const recipes: Readonly<Record<ServerImage, Recipe>> = {
  postgres: {
    packages: ['postgresql-[0-9]*', 'postgresql-client-[0-9]*'],
    start: postgresStart,
    command: ['postgres'],
    path: '',
    stopSignal: 'SIGINT',
    writable: ['run/postgresql', 'var/run/postgresql'],
  },
  mysql: {
    packages: ['mariadb-server-core', 'mariadb-client-core', 'mariadb-client'],
    start: mysqlStart,
    command: ['mariadbd'],
    path: '',
    stopSignal: 'SIGTERM',
    writable: ['run/mysqld'],
  },
  redis: {
    packages: ['redis-tools', 'redis-server'],
    command: ['redis-server'],
    path: '',
    stopSignal: 'SIGTERM',
    writable: ['data'],
  },
  rabbitmq: {
    packages: ['erlang-*', 'rabbitmq-server'],
    start: rabbitmqStart,
    command: ['rabbitmq-server'],
    path: '/usr/lib/rabbitmq/bin:',
    stopSignal: 'SIGTERM',
    writable: ['var/lib/rabbitmq', 'var/log/rabbitmq'],
  },
}

/** @param address of a registry */
export async function pushServerImage(address: string, name: ServerImage): Promise<void> {
  const { packages, start, command, path, stopSignal, writable } = recipes[name]
  const files = await filesOf(packages)
  const programs = [...new Set(files.map(({ path }) => path))].filter(path => path.startsWith('usr/lib/postgresql/'))
  const more = programs.find(path => path.endsWith('/bin/postgres'))?.replace(/postgres$/, '')
  const entries: LayerEntry[] = [
    ...(await busyboxEntries()),
    ...(await librariesOf(files)),
    ...files,
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nserver:x:999:999::/tmp:/bin/sh\n'),
    text('etc/group', 'root:x:0:\nserver:x:999:\n'),
    text('etc/hosts', '127.0.0.1 localhost\n'),
    ...['tmp', ...writable].map(path => ({ path, kind: 'directory', mode: 0o1777 }) as const),
    ...(start === undefined ? [] : [text('usr/local/bin/docker-entrypoint.sh', start, 0o755)]),
  ]
  const directory = mkdtempSync(join(tmpdir(), `sampan-image-${name}-`))
  try {
    const file = join(directory, 'layer.tar')
    const layer = plainLayer(file, await writeLayer(file, entries))
    const registry = new RegistryClient(address, name)
    await pushImage(registry, { repository: name, tag: '1' }, [layer], {
      Env: [`PATH=${more === undefined ? '' : `/${more}:`}${path}/usr/local/bin:/usr/sbin:/usr/bin:/bin`],
      ...(start !== undefined && { Entrypoint: ['docker-entrypoint.sh'] }),
      Cmd: command,
      StopSignal: stopSignal,
    }).finally(() => registry.close())
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const text = (path: string, content: string, mode = 0o644): LayerEntry => ({
  path,
  kind: 'file',
  source: Buffer.from(content),
  mode,
})

const leftOut =
  /^usr\/share\/(?:doc|man|lintian|locale|perl5|bug)\/|^(?:lib|usr\/lib|usr\/share)\/(?:systemd|i18n)\/|^etc\//

/** Where /bin and /lib are links to those below /usr, everything is there. */
const placed = (path: string): string => path.replace(/^\/+/, '').replace(/^(?=(?:bin|sbin|lib|lib64)\/)/, 'usr/')

async function filesOf(patterns: readonly string[]): Promise<LayerEntry[]> {
  const listed = await run('dpkg-query', ['-W', '-f', '${binary:Package} ${db:Status-Status}\n', ...patterns])
  const packages = listed.stdout.split('\n').flatMap(line => (line.endsWith(' installed') ? [line.split(' ')[0]!] : []))
  const { stdout } = await run('dpkg', ['-L', ...packages])
  const paths = [...new Set(stdout.split('\n'))].filter(path => path.startsWith('/') && !leftOut.test(placed(path)))
  return paths.flatMap((path): LayerEntry[] => {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat?.isSymbolicLink() === true) return [{ path: placed(path), kind: 'link', target: readlinkSync(path) }]
    return stat?.isFile() === true ? [{ path: placed(path), kind: 'file', source: path, mode: stat.mode & 0o777 }] : []
  })
}

async function busyboxEntries(): Promise<LayerEntry[]> {
  const { stdout } = await run('/bin/busybox', ['--list'])
  const names = stdout
    .trim()
    .split('\n')
    .filter(name => name !== 'busybox')
  return [
    { path: 'bin', kind: 'link', target: 'usr/bin' },
    { path: 'sbin', kind: 'link', target: 'usr/sbin' },
    { path: 'lib', kind: 'link', target: 'usr/lib' },
    { path: 'lib64', kind: 'link', target: 'usr/lib64' },
    { path: 'usr/bin/busybox', kind: 'file', source: '/bin/busybox', mode: 0o755 },
    ...names.map((name): LayerEntry => ({ path: `usr/bin/${name}`, kind: 'link', target: '/usr/bin/busybox' })),
  ]
}

/** What all programs and modules load. */
async function librariesOf(files: readonly LayerEntry[]): Promise<LayerEntry[]> {
  const found = new Map<string, LayerEntry>()
  for (const entry of files) {
    if (entry.kind !== 'file' || typeof entry.source !== 'string' || !isElf(entry.source)) continue
    for (const library of await sharedLibraries(entry.source).catch(() => [])) {
      const path = placed(library.path)
      if (!found.has(path)) found.set(path, { ...library, path })
    }
  }
  return [...found.values()]
}

function isElf(file: string): boolean {
  const start = Buffer.alloc(4)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, start, 0, 4, 0)
  closeSync(descriptor)
  return start.equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]))
}

// A program of its own, because the registry of a cluster under test is reached from inside its namespace only:
//   node service-images.ts 127.0.0.1:5000 postgres redis
if (import.meta.main) {
  const [address = '', ...names] = process.argv.slice(2)
  for (const name of names) await pushServerImage(address, name as ServerImage)
}
