import { describe, expect, test } from 'vitest'
import type { Programs } from './installed-packages.ts'
import { entryOf, startCommand, type StartCommand, type Unstartable } from './start-command.ts'

const programs: Programs = {
  next: { path: 'node_modules/next/dist/bin/next', by: 'node' },
  fastify: { path: '../../node_modules/fastify-cli/cli.js', by: 'node' },
  dotenv: { path: 'node_modules/dotenv-cli/cli.js', by: 'node' },
  caddy: { path: 'node_modules/caddy/bin/caddy', by: 'itself' },
  serve: { path: 'node_modules/serve/serve.sh', by: 'shell' },
  nest: { path: 'node_modules/@nestjs/cli/bin/nest.js', by: 'node' },
}

const started = (start: string, scripts: Record<string, string> = {}, shell = false): StartCommand | Unstartable =>
  startCommand('start', {
    scripts: { start, ...scripts },
    programOf: name => (Object.hasOwn(programs, name) ? programs[name] : undefined),
    isNodeScript: path => path === './bin/www',
    shell,
  })

describe('a start script', () => {
  test.each<[string, string[], Record<string, string>]>([
    ['node server.js', ['server.js'], {}],
    ['NODE_ENV=production node server.js', ['server.js'], { NODE_ENV: 'production' }],
    [
      'A=1 B="two words" C=\'$x\' node -r dotenv/config a.js',
      ['-r', 'dotenv/config', 'a.js'],
      { A: '1', B: 'two words', C: '$x' },
    ],
    ['cross-env NODE_ENV=production node a.js', ['a.js'], { NODE_ENV: 'production' }],
    ['exec node a.js', ['a.js'], {}],
    ['node a.js --greeting "say \\"hi\\"" it\\\'s', ['a.js', '--greeting', 'say "hi"', "it's"], {}],
    ['node a.js ""', ['a.js', ''], {}],
    ['next start -p 80', ['node_modules/next/dist/bin/next', 'start', '-p', '80'], {}],
    ['npx next start', ['node_modules/next/dist/bin/next', 'start'], {}],
    ['npm exec -- next start', ['node_modules/next/dist/bin/next', 'start'], {}],
    ['pnpm exec next start', ['node_modules/next/dist/bin/next', 'start'], {}],
    ['pnpm next start', ['node_modules/next/dist/bin/next', 'start'], {}],
    ['yarn next start', ['node_modules/next/dist/bin/next', 'start'], {}],
    ['yarn run next start', ['node_modules/next/dist/bin/next', 'start'], {}],
    ['yarn node a.js', ['a.js'], {}],
    ['fastify start -l info app.js', ['../../node_modules/fastify-cli/cli.js', 'start', '-l', 'info', 'app.js'], {}],
    ['dotenv -e .env -- node a.js', ['node_modules/dotenv-cli/cli.js', '-e', '.env', '--', 'node', 'a.js'], {}],
    [
      'dotenv -e .env -- next start',
      ['node_modules/dotenv-cli/cli.js', '-e', '.env', '--', 'node', 'node_modules/next/dist/bin/next', 'start'],
      {},
    ],
    ['./bin/www', ['./bin/www'], {}],
  ])('%s is run as npm would', (script, command, variables) => {
    expect(started(script)).toEqual({ command, variables, notes: [] })
  })

  test('that runs another one passes its variables and words on', () => {
    expect(started('A=1 npm run serve -- --port 1', { serve: 'B=2 node a.js', preserve: 'node check.js' })).toEqual({
      command: ['a.js', '--port', '1'],
      variables: { A: '1', B: '2' },
      notes: ['the script "preserve" (node check.js) does not run in the image'],
    })
  })

  test.each([
    ['npm run serve'],
    ['npm run -s serve'],
    ['pnpm run serve'],
    ['pnpm serve'],
    ['pnpm -s run serve'],
    ['yarn serve'],
    ['yarn run serve'],
    ['corepack yarn serve'],
  ])('%s runs that script', script => {
    expect(started(`${script} --port 1`, { serve: 'node a.js' })).toMatchObject({ command: ['a.js', '--port', '1'] })
  })

  test('of npm gets the words after --, of pnpm and yarn all of them', () => {
    const scripts = { serve: 'node a.js' }
    expect(started('npm run serve -- --port 1', scripts)).toMatchObject({ command: ['a.js', '--port', '1'] })
    expect(started('pnpm serve -- --port 1', scripts)).toMatchObject({ command: ['a.js', '--', '--port', '1'] })
  })

  test('is run by a shell where the image has one, and only where it takes one', () => {
    expect(started('node migrate.js && node server.js', {}, true)).toEqual({
      program: '/bin/sh',
      command: ['-c', 'node migrate.js && node server.js'],
      variables: {},
      notes: [],
    })
    expect(started('npm run serve -- --name "it\'s"', { serve: 'node a.js --port $PORT' }, true)).toMatchObject({
      command: ['-c', "node a.js --port $PORT --name 'it'\\''s'"],
    })
    expect(started('node server.js', {}, true)).toEqual({ command: ['server.js'], variables: {}, notes: [] })
    expect(started('serve dist', {}, true)).toMatchObject({ program: 'node_modules/serve/serve.sh', command: ['dist'] })
  })

  test('may start a program that needs no Node.js', () => {
    expect(started('caddy run')).toMatchObject({ program: 'node_modules/caddy/bin/caddy', command: ['run'] })
  })

  test.each([
    ['nest start', '"nest start" compiles before it starts', /"node dist\/main.js"/],
    ['next dev', '"next dev" is for development', /"next start"/],
    ['nodemon a.js', '"nodemon" is for development', /"node src\/main.ts": Node.js runs TypeScript itself/],
    ['vite preview --port 1', '"vite preview" is for development', /"build: \{ with: static, output: dist \}"/],
    ['vite', '"vite" is for development', /with: static/],
    ['pm2 start a.js', '"pm2 start" starts the service and ends', /what pm2 starts/],
    [
      'tsx a.ts',
      '"tsx" is not in the image: it is no program of a package among the dependencies',
      /"node src\/main.ts"/,
    ],
    [
      'env-cmd -- node a.js',
      '"env-cmd" is not in the image: it is no program of a package among the dependencies',
      /app.yml/,
    ],
    ['serve dist', '"serve" is a script for a shell, which the image has not', /"build: \{ shell: true \}"/],
    ['node a.js | tee log', '"|" needs a shell, which the image has not', /"build: \{ shell: true \}"/],
  ])('%s is refused with what to write instead', (script, problem, instead) => {
    expect(started(script)).toEqual({ problem, instead: expect.stringMatching(instead) as string })
  })

  test.each([
    ['node migrate.js && node server.js', '"&&" needs a shell, which the image has not'],
    ['node a.js | pino-pretty', '"|" needs a shell, which the image has not'],
    ['node a.js --port $PORT', '"$PORT" needs a shell, which the image has not'],
    ['node a.js "--port=$PORT"', '"$PORT" needs a shell, which the image has not'],
    ['node a.js `cat port`', '"`" needs a shell, which the image has not'],
    ['node *.js', '"*" needs a shell, which the image has not'],
    ['node a.js &', '"&" needs a shell, which the image has not'],
    ['node "a.js', 'a " is not closed'],
    ['rollup -c', '"rollup" is not in the image: it is no program of a package among the dependencies'],
    ['npm start', 'the script "start" runs itself and would never end'],
    ['pnpm start', 'the script "start" runs itself and would never end'],
    ['yarn start', 'the script "start" runs itself and would never end'],
    ['pnpm install', '"pnpm install" is not in the image'],
    ['yarn', '"yarn install" is not in the image'],
    ['pnpm --filter api start', '"pnpm --filter" may be about another folder'],
    ['yarn workspace api start', '"yarn workspace" may be about another folder'],
    ['npm --prefix api start', '"npm --prefix" may be about another folder'],
    ['pnpm run nothing', 'there is no script "nothing"'],
    ['./missing.js', '"./missing.js" is not in the image: it is no program of a package among the dependencies'],
    ['npm ci', '"npm ci" is not in the image'],
    ['npm run nothing', 'there is no script "nothing"'],
    ['npm run constructor', 'there is no script "constructor"'],
    ['npm run start', 'the script "start" runs itself and would never end'],
    ['A=1 npm run-script start', 'the script "start" runs itself and would never end'],
    ['npm run around', 'the script "start" runs itself and would never end'],
    ['A=1', 'it starts no program'],
  ])('%s is named with the part that cannot be run', (script, problem) => {
    expect(started(script, { around: 'npm run start' })).toMatchObject({ problem })
  })
})

test.each([
  ['a.js', 'a.js'],
  ['-r dotenv/config a.js', 'a.js'],
  ['--import ./b.js --enable-source-maps a.ts --port 1', 'a.ts'],
  ['--env-file=.env a.js', 'a.js'],
  ['-e console.log(1)', undefined],
  ['--version', undefined],
])('of "node %s" the file that runs is %s', (words, entry) => {
  expect(entryOf(words.split(' '))).toBe(entry)
})
