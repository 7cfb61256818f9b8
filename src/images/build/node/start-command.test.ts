import { describe, expect, test } from 'vitest'
import { startCommand, type StartCommand, type Unstartable } from './start-command.ts'

const started = (start: string, scripts: Record<string, string> = {}): StartCommand | Unstartable =>
  startCommand('start', {
    scripts: { start, ...scripts },
    programOf: name => (name === 'next' ? 'node_modules/.bin/next' : undefined),
    isNodeScript: path => path === './bin/www',
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
    ['next start -p 80', ['node_modules/.bin/next', 'start', '-p', '80'], {}],
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
    ['node migrate.js && node server.js', '"&&" needs a shell, which the image has not'],
    ['node a.js | pino-pretty', '"|" needs a shell, which the image has not'],
    ['node a.js --port $PORT', '"$PORT" needs a shell, which the image has not'],
    ['node a.js "--port=$PORT"', '"$PORT" needs a shell, which the image has not'],
    ['node a.js `cat port`', '"`" needs a shell, which the image has not'],
    ['node *.js', '"*" needs a shell, which the image has not'],
    ['node a.js &', '"&" needs a shell, which the image has not'],
    ['node "a.js', 'a " is not closed'],
    ['nodemon a.js', '"nodemon" is not in the image: it is no program of a package among the dependencies'],
    ['./missing.js', '"./missing.js" is not in the image: it is no program of a package among the dependencies'],
    ['npm ci', '"npm ci" is not in the image'],
    ['npm run nothing', 'there is no script "nothing"'],
    ['npm run constructor', 'there is no script "constructor"'],
    ['npm run start', 'the script "start" runs itself and would never end'],
    ['A=1 npm run-script start', 'the script "start" runs itself and would never end'],
    ['npm run around', 'the script "start" runs itself and would never end'],
    ['A=1', 'it starts no program'],
  ])('%s is named with the part that cannot be run', (script, problem) => {
    expect(started(script, { around: 'npm run start' })).toEqual({ problem })
  })
})
