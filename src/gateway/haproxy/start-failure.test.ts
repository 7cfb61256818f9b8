import { expect, test } from 'vitest'
import { startFailure } from './start-failure.ts'

const bind = '[ALERT]    (17) : Binding [/g/haproxy.cfg:21] for frontend port-80: cannot bind socket'

test.each([
  [
    `[NOTICE]   (17) : haproxy version is 2.6.12\n${bind} (Address already in use) for [127.0.0.1:80]\n`,
    'port 80 of 127.0.0.1 is in use by another program; end that one, and requests are served a second later',
  ],
  [
    '[ALERT]    (17) : first\n[ALERT]    (17) : Cannot raise FD limit to 20040, limit is 20000.\n',
    'HAProxy did not start: Cannot raise FD limit to 20040, limit is 20000.',
  ],
  ['', 'HAProxy did not start: nothing is said in /g/haproxy.log'],
])('%j says: %s', (log, message) => {
  expect(startFailure(log, '/g/haproxy.log')).toBe(message)
})
