// Real projects in Node.js and TypeScript, with packages of npm's registry in versions that do not change: a
// workspace of npm, one of pnpm, one of yarn, and one of classic yarn.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Path -> content; what is not text becomes JSON. */
type Files = Readonly<Record<string, string | object>>

const pnpmVersion = '10.15.0'
const yarnVersion = '4.9.2'
const classicVersion = '1.22.22'

const port = 8080
/** What a service says: its user, and what was made of its packages. */
const listening = (handler: string): string =>
  `createServer(async (request, answer) => answer.end(\`\${process.getuid()} \${await (${handler})(request)}\`)).listen(${port})`

/** A module in C that is compiled when it is installed. */
const addon: Files = {
  'package.json': { name: 'adder', version: '1.0.0', main: 'index.js', scripts: { install: 'node-gyp rebuild' } },
  'index.js': `module.exports = require('./build/Release/adder.node')`,
  'binding.gyp': { targets: [{ target_name: 'adder', sources: ['adder.c'] }] },
  'adder.c': `#include <node_api.h>
static napi_value Add(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2], sum;
  double left, right;
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_double(env, values[0], &left);
  napi_get_value_double(env, values[1], &right);
  napi_create_double(env, left + right, &sum);
  return sum;
}
NAPI_MODULE_INIT() {
  napi_value add;
  napi_create_function(env, "add", NAPI_AUTO_LENGTH, Add, NULL, &add);
  napi_set_named_property(env, exports, "add", add);
  return exports;
}
`,
}

const nest = {
  '@nestjs/common': '11.1.6',
  '@nestjs/core': '11.1.6',
  '@nestjs/platform-express': '11.1.6',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
}

/** Express with a module that is compiled, Fastify with one that is prebuilt, NestJS that is compiled with its own tools. */
const ofNpm: Files = {
  'package.json': { name: 'shop', private: true, workspaces: ['words', 'services/*'] },
  'words/package.json': {
    name: '@shop/words',
    version: '1.0.0',
    main: 'made.js',
    scripts: { build: 'node make.js' },
    dependencies: { ms: '2.1.3' },
  },
  'words/make.js': `require('node:fs').writeFileSync('made.js', "exports.minutes = require('ms')('2m') / 60000")`,
  'services/express/package.json': {
    name: 'express-service',
    version: '1.0.0',
    scripts: { start: 'NODE_ENV=production node main.js' },
    dependencies: { express: '5.1.0', adder: 'file:../../vendor/adder-1.0.0.tgz', '@shop/words': '1.0.0' },
  },
  'services/express/main.js': `const { add } = require('adder'), { minutes } = require('@shop/words')
require('express')().get('/', (_, answer) => answer.send(\`\${process.getuid()} express \${add(40, minutes)}\`)).listen(${port})
process.on('SIGTERM', () => process.exit())`,
  'services/fastify/package.json': {
    name: 'fastify-service',
    version: '1.0.0',
    type: 'module',
    scripts: { start: 'npm run serve -- --name fastify', serve: 'node src/main.ts' },
    dependencies: { fastify: '5.6.1', '@node-rs/argon2': '2.0.2', '@shop/words': '^1.0.0' },
  },
  'services/fastify/src/main.ts': `import { hash, verify } from '@node-rs/argon2'
import fastify from 'fastify'
import { minutes } from '@shop/words'
const name: string = process.argv[3] ?? ''
const server = fastify()
server.get('/', async () => \`\${process.getuid?.()} \${name} \${await verify(await hash('x'), 'x')} \${minutes}\`)
process.on('SIGTERM', () => process.exit())
await server.listen({ port: ${port}, host: '0.0.0.0' })`,
  'services/nest/package.json': {
    name: 'nest-service',
    version: '1.0.0',
    scripts: { build: 'nest build', start: 'node dist/main.js', 'start:dev': 'nest start --watch' },
    dependencies: nest,
    devDependencies: { '@nestjs/cli': '11.0.10', '@types/node': '24.5.2', typescript: '5.9.2' },
  },
  'services/nest/tsconfig.json': {
    compilerOptions: {
      module: 'commonjs',
      target: 'es2022',
      outDir: './dist',
      rootDir: './src',
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      strict: true,
      skipLibCheck: true,
    },
    include: ['src'],
  },
  'services/nest/src/main.ts': `import 'reflect-metadata'
import { Controller, Get, Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
@Injectable()
class Words { word = 'nest' }
@Controller()
class Pages { constructor(private readonly words: Words) {} @Get() page(): string { return \`\${process.getuid?.()} \${this.words.word}\` } }
@Module({ controllers: [Pages], providers: [Words] })
class Service {}
NestFactory.create(Service, { logger: false }).then(app => app.enableShutdownHooks().listen(${port}))`,
}

/** Next.js, sharp behind the command of Fastify, and a service that needs a neighbour; versions in a catalog. */
const ofPnpm: Files = {
  'package.json': { name: 'desk', private: true, packageManager: `pnpm@${pnpmVersion}` },
  'pnpm-workspace.yaml': `packages:
  - packages/*
catalog:
  fastify: 5.6.1
  react: 19.1.1
onlyBuiltDependencies:
  - sharp
`,
  'packages/lib/package.json': {
    name: '@desk/lib',
    version: '0.0.0',
    type: 'module',
    exports: './index.js',
    dependencies: { ms: '2.1.3' },
  },
  'packages/lib/index.js': `import ms from 'ms'\nexport const seconds = ms('1m') / 1000`,
  'packages/plain/package.json': {
    name: '@desk/plain',
    version: '1.0.0',
    type: 'module',
    scripts: { start: 'node main.js' },
    dependencies: { '@desk/lib': 'workspace:*' },
  },
  'packages/plain/main.js': `import { createServer } from 'node:http'
import { seconds } from '@desk/lib'
process.on('SIGTERM', () => process.exit())
const hidden = await import('ms').then(() => 'reaches', () => 'strict')
${listening('() => `plain ${seconds} ${hidden}`')}`,
  'packages/images/package.json': {
    name: '@desk/images',
    version: '1.0.0',
    scripts: { start: `fastify start -a 0.0.0.0 -p ${port} app.js` },
    dependencies: { fastify: 'catalog:', 'fastify-cli': '7.4.1', sharp: '0.34.4', '@desk/lib': 'workspace:^' },
  },
  'packages/images/app.js': `const sharp = require('sharp')
module.exports = async (server, _options) => {
  server.get('/', async () => {
    const image = await sharp({ create: { width: 8, height: 4, channels: 3, background: 'red' } }).png().toBuffer()
    const { info } = await sharp(image).resize(2).toBuffer({ resolveWithObject: true })
    return \`\${process.getuid()} sharp \${info.width}\`
  })
}`,
  'packages/web/package.json': {
    name: '@desk/web',
    version: '1.0.0',
    scripts: { build: 'next build', start: `next start -p ${port}` },
    dependencies: { next: '15.5.4', react: 'catalog:', 'react-dom': '19.1.1' },
  },
  'packages/web/next.config.mjs': `import { join } from 'node:path'
export default { output: 'standalone', outputFileTracingRoot: join(import.meta.dirname, '../..'), eslint: { ignoreDuringBuilds: true } }`,
  'packages/web/app/layout.jsx': `export default function Layout({ children }) { return <html><body>{children}</body></html> }`,
  'packages/web/app/page.jsx': `export const dynamic = 'force-dynamic'
export default function Page() { return <p>{process.getuid()} next</p> }`,
  'packages/web/public/robots.txt': 'User-agent: *',
}

/** Plug'n'Play: pages that Vite makes, and two services. */
const ofYarn: Files = {
  'package.json': { name: 'yard', private: true, workspaces: ['packages/*'], packageManager: `yarn@${yarnVersion}` },
  'packages/lib/package.json': { name: '@yard/lib', version: '1.0.0', main: 'index.js', dependencies: { ms: '2.1.3' } },
  'packages/lib/index.js': `exports.seconds = require('ms')('2m') / 1000`,
  'packages/api/package.json': {
    name: '@yard/api',
    version: '1.0.0',
    scripts: { start: 'yarn serve', serve: 'cross-env NAME=api node main.js' },
    dependencies: { fastify: '5.6.1', '@yard/lib': 'workspace:^' },
    devDependencies: { 'cross-env': '7.0.3' },
  },
  'packages/api/main.js': `const server = require('fastify')()
server.get('/', async () => \`\${process.getuid()} \${process.env.NAME} \${require('@yard/lib').seconds}\`)
process.on('SIGTERM', () => process.exit())
server.listen({ port: ${port}, host: '0.0.0.0' })`,
  'packages/plain/package.json': {
    name: '@yard/plain',
    version: '1.0.0',
    scripts: { start: 'test -n "$HOME" && exec node main.js --home $HOME' },
  },
  'packages/plain/main.js': `const { createServer } = require('node:http')
process.on('SIGTERM', () => process.exit())
${listening('() => `plain ${process.argv[3]}`')}`,
  'packages/plain/app.yml': `name: plain\nports: { http: { port: ${port} } }\nbuild: { shell: true }\n`,
  'packages/pages/package.json': {
    name: '@yard/pages',
    version: '1.0.0',
    type: 'module',
    scripts: { build: 'vite build' },
    devDependencies: { vite: '7.1.7' },
  },
  'packages/pages/index.html': '<!doctype html><div id="app"></div><script type="module" src="/main.ts"></script>',
  'packages/pages/main.ts': `document.querySelector('#app')!.textContent = 'vite' as string`,
}

const ofClassicYarn: Files = {
  'package.json': {
    name: 'classic',
    version: '1.0.0',
    scripts: { start: 'yarn run serve', serve: 'node .' },
    main: 'main.js',
    dependencies: { ms: '2.1.3' },
    devDependencies: { 'is-odd': '3.0.1' },
  },
  'main.js': `const { createServer } = require('node:http')
process.on('SIGTERM', () => process.exit())
const hidden = (() => { try { return require('is-odd') && 'development' } catch { return 'production' } })()
${listening(`() => \`classic \${require('ms')('1s')} \${hidden}\``)}`,
}

/** Writes them below a folder and makes their lock files, which takes npm's registry. @returns folder of each service by its name */
export function makeNodeProjects(root: string): Readonly<Record<string, string>> {
  const vendor = join(root, 'npm/vendor')
  write(join(root, 'adder'), addon)
  write(join(root, 'npm'), ofNpm)
  write(join(root, 'pnpm'), ofPnpm)
  write(join(root, 'yarn'), { ...ofYarn, 'yarn.lock': '' })
  write(join(root, 'classic'), ofClassicYarn)
  mkdirSync(vendor)
  const run = (folder: string, program: string, ...args: string[]): void => runIn(join(root, folder), program, args)
  run('adder', 'npm', 'pack', '--silent', '--pack-destination', vendor)
  run('npm', 'npm', 'install', '--package-lock-only', '--ignore-scripts', '--prefer-offline', '--silent')
  lockProject(join(root, 'pnpm'), 'pnpm')
  lockProject(join(root, 'yarn'), 'yarn')
  run(
    'classic',
    'npm',
    ...fetched(`yarn@${classicVersion}`),
    'yarn',
    'install',
    '--silent',
    '--ignore-scripts',
    '--non-interactive',
  )
  return {
    express: join(root, 'npm/services/express'),
    fastify: join(root, 'npm/services/fastify'),
    nest: join(root, 'npm/services/nest'),
    plain: join(root, 'pnpm/packages/plain'),
    images: join(root, 'pnpm/packages/images'),
    web: join(root, 'pnpm/packages/web'),
    api: join(root, 'yarn/packages/api'),
    shell: join(root, 'yarn/packages/plain'),
    pages: join(root, 'yarn/packages/pages'),
    classic: join(root, 'classic'),
  }
}

/** Makes a lock file, or brings it up to date, with the versions that the projects here name. */
export function lockProject(directory: string, manager: 'pnpm' | 'yarn'): void {
  if (manager === 'pnpm')
    runIn(directory, 'npm', [...fetched(`pnpm@${pnpmVersion}`), 'pnpm', 'install', '--lockfile-only', '--silent'])
  else
    runIn(directory, 'npm', [
      ...fetched(`@yarnpkg/cli-dist@${yarnVersion}`),
      'yarn',
      'install',
      '--mode=update-lockfile',
    ])
}

const fetched = (name: string): string[] => ['exec', '--yes', '--silent', '--prefer-offline', `--package=${name}`, '--']

function runIn(directory: string, program: string, args: readonly string[]): void {
  execFileSync(program, args, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'], env: withoutCi() })
}

/** On machines that test others' changes, yarn refuses to make a lock file. */
function withoutCi(): NodeJS.ProcessEnv {
  const { CI: _ci, ...environment } = process.env
  return { ...environment, YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', YARN_ENABLE_TELEMETRY: 'false' }
}

function write(directory: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content, undefined, 2))
  }
}
