// PHP: the command-line PHP of this machine with its extensions, Composer's packages as a layer of their own, and
// PHP's built-in server in front, which answers several requests at once and is meant for small services.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError } from '../build-error.ts'
import type { BuildContext } from '../builder.ts'
import { outputOf } from '../command/build-by-command.ts'
import { runBuild } from '../command/run-build.ts'
import type { Component, ImageContent } from '../image-content.ts'
import { applicationLayer } from '../layers/application-layer.ts'
import { applicationFolder, containerConfig } from '../layers/container-config.ts'
import { foundation } from '../layers/foundation.ts'
import { keptLayer, type KeptLayer } from '../layers/kept-layer.ts'
import { entriesBelow } from '../layers/layer.ts'
import { readJson } from '../read-json.ts'
import { runTool } from '../run-tool.ts'
import { sourcesOf } from './php-files.ts'
import { findPhp, phpLayer, phpPath } from './php-runtime.ts'

/** In the image. */
const starter = 'usr/local/lib/sampan/serve.php'

/** @throws BuildError */
export async function buildPhp(context: BuildContext): Promise<ImageContent> {
  const { directory, settings, base, progress, note } = context
  if (base !== undefined && !base.has('/usr/local/bin/php') && !base.has('/usr/bin/php'))
    throw new BuildError(`the base image ${base.name} has no PHP; name one that has, such as php:8.3-cli`)
  const php = base === undefined ? await findPhp(directory) : undefined
  await runBuild(context)
  const dependencies = await dependencyLayer(context)
  const below = await foundation(context, php === undefined ? [] : [{ source: php.program, path: phpPath }])
  const runtime = php === undefined ? undefined : await phpLayer(context, php, below)
  if (runtime !== undefined) progress('PHP', runtime.cached)
  const { directory: source, filter } = outputOf(context, sourcesOf(directory))
  const files = await entriesBelow(source, applicationFolder, filter)
  const root = files.some(({ path }) => path === `${applicationFolder}/public/index.php`) ? 'public' : '.'
  const isServed = settings.start === undefined
  if (isServed && !files.some(({ path }) => path === join(applicationFolder, root, 'index.php')))
    throw new BuildError(
      `cannot tell how the service in ${directory} is started: expected an index.php or public/index.php, or build: { start: COMMAND } in app.yml`,
    )
  if (isServed)
    note(
      "PHP's built-in server answers, with four processes; for many visitors, start another one with build: { start: COMMAND }",
    )
  const application = await applicationLayer(context, [
    ...files,
    { path: starter, kind: 'file', source: Buffer.from(serve) },
  ])
  return {
    layers: [...below.layers, runtime ?? [], dependencies ?? [], application].flat(),
    config: containerConfig({
      command: settings.start ?? ['php', `/${starter}`, root],
      variables: { PHP_CLI_SERVER_WORKERS: '4', SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' },
    }),
    components: [...below.components, ...(runtime?.components ?? []), ...(dependencies?.components ?? [])],
  }
}

/**
 * The port is known when the container starts; there is no shell that could insert it. The server's processes end when
 * each of them is told so, and only by this signal.
 */
const serve = `<?php
$command = ['-S', '0.0.0.0:' . (getenv('PORT') ?: '8080'), '-t', $argv[1]];
if (!function_exists('pcntl_fork') || !function_exists('posix_setsid'))
  exit(proc_close(proc_open([PHP_BINARY, ...$command], [STDIN, STDOUT, STDERR], $pipes)));
$server = pcntl_fork();
if ($server === 0) {
  posix_setsid();
  pcntl_exec(PHP_BINARY, $command);
  exit(127);
}
pcntl_async_signals(true);
foreach ([SIGTERM, SIGINT] as $signal) pcntl_signal($signal, fn() => posix_kill(-$server, SIGINT), false);
do $ended = pcntl_wait($status);
while ($ended !== $server);
exit(pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 1);
`

interface ComposerFile {
  readonly require?: Readonly<Record<string, string>>
  readonly autoload?: { readonly classmap?: readonly string[] }
}

/** Composer's packages for production, from its lock file; undefined: there are none. */
async function dependencyLayer(context: BuildContext): Promise<KeptLayer | undefined> {
  const { directory, progress } = context
  const file = join(directory, 'composer.json')
  if (!existsSync(file)) return undefined
  const { require = {}, autoload = {} } = readJson<ComposerFile>(file)
  const lock = join(directory, 'composer.lock')
  const needs = Object.keys(require).some(name => name.includes('/'))
  if (needs && !existsSync(lock))
    throw new BuildError(
      `expected a composer.lock beside ${file}, because a build must be repeatable; make one with: composer update --no-install`,
    )
  const files = [file, lock, join(directory, 'auth.json')].filter(existsSync)
  const hash = createHash('sha256').update('1')
  for (const path of files.slice(0, 2)) hash.update(await readFile(path))
  // These are looked through when the list of classes is made.
  const looked = autoload.classmap ?? []
  for (const path of looked) await addTo(hash, join(directory, path))
  const layer = await keptLayer(context, `composer-${hash.digest('hex').slice(0, 16)}`, async making => {
    const installed = join(making, 'project')
    await mkdir(installed)
    for (const path of files) await cp(path, join(installed, path.slice(directory.length + 1)))
    for (const path of looked) await cp(join(directory, path), join(installed, path), { recursive: true })
    await runTool(
      'composer',
      ['install', '--no-dev', '--no-scripts', '--no-interaction', '--no-progress', '--no-plugins', '--prefer-dist'],
      {
        directory: installed,
        project: directory,
        environment: { COMPOSER_ALLOW_SUPERUSER: '1', ...process.env },
        tells: 'last',
        missing: `${directory} has a composer.json, and Composer is missing on this machine; install it with: apt-get install composer`,
      },
    )
    return {
      entries: await entriesBelow(join(installed, 'vendor'), `${applicationFolder}/vendor`),
      components: await packagesIn(join(installed, 'vendor/composer/installed.json')),
    }
  })
  progress('dependencies', layer.cached)
  return layer
}

async function addTo(hash: ReturnType<typeof createHash>, path: string): Promise<void> {
  const isFolder = (await stat(path)).isDirectory()
  const entries = isFolder ? await entriesBelow(path, path) : [{ path, kind: 'file', source: path } as const]
  for (const entry of entries) {
    hash.update(entry.path.slice(path.length))
    if (entry.kind === 'file') hash.update(await readFile(entry.source))
  }
}

async function packagesIn(file: string): Promise<Component[]> {
  const { packages = [] } = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as {
    packages?: { name: string; version: string; license?: string[] }[]
  }
  return packages.map(({ name, version, license = [] }) => ({
    name,
    version,
    purl: `pkg:composer/${name}@${encodeURIComponent(version)}`,
    ...(license.length > 0 && { license: license.join(' OR ') }),
  }))
}
